import pytest

from pipeline_config.report import ReportConfig
from storage.artifact import Counts, FileEntry, Manifest
from storage.runs import RunRecord, StepRun
from tasks.report.contents import Contents
from tasks.report.page import draw_page
from tasks.report.run_page import run_page


def manifest(seconds: float, size: int) -> Manifest:
    return Manifest(
        step="fetch",
        version="1",
        label="fetch/docs",
        recipe="r",
        digest="d",
        ingredients={},
        files=[FileEntry(name="a", blob="b", digest="c", bytes=size)],
        counts=Counts(),
        seconds=seconds,
        libraries={},
        created_at="",
    )


@pytest.fixture
def run() -> RunRecord:
    return RunRecord(
        id="20261121-034512-1f3a",
        flow="crawl-to-chat",
        preset="demo",
        config={},
        started_at="2026-11-21T03:45:12+00:00",
        steps=[
            StepRun(label="fetch/docs", step="fetch", recipe="r", status="cached"),
            StepRun(label="dedup", step="dedup", recipe="r", status="executed", seconds=12.5),
        ],
        notes=["gate <b>x</b> did not pass"],
    )


def test_run_page_tells_cached_from_executed(contents: Contents, run: RunRecord) -> None:
    artifact = draw_page(contents, ReportConfig())
    page = run_page(artifact, run, {"fetch/docs": manifest(31.0, 1_500_000)})
    assert run.id not in artifact
    assert "1 steps executed, 1 from cache" in page
    assert "saved 31 s" in page
    assert "<td>31 s</td><td>1.5 MB</td>" in page
    assert page.count('class="tag cached"') == 1
    assert page.count('class="tag executed"') == 1
    assert "gate &lt;b&gt;x&lt;/b&gt; did not pass" in page


def test_run_page_again_replaces_the_run(contents: Contents, run: RunRecord) -> None:
    artifact = draw_page(contents, ReportConfig())
    other = run.model_copy(update={"id": "20261122-000000-aaaa"})
    assert run_page(run_page(artifact, run, {}), other, {}) == run_page(artifact, other, {})


def test_run_page_refuses_another_file(run: RunRecord) -> None:
    with pytest.raises(ValueError, match="no report"):
        run_page("<html></html>", run, {})
