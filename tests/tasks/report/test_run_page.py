import pytest

from pipeline_config.pipeline import PipelineConfig
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


def test_run_page_tells_what_its_settings_change(contents: Contents, run: RunRecord) -> None:
    source = {"kind": "jsonl", "paths": ["<b>.jsonl"]}
    settings = PipelineConfig.model_validate(
        {
            "crawl": {"sources": {"rows": source}},
            "quality": {"gopher_quality": {"min_words": 20}},
        }
    )
    run = run.model_copy(update={"config": settings.model_dump(mode="json")})
    page = run_page(draw_page(contents, ReportConfig()), run, {})
    told = page.split("What its settings change of the defaults")[1].split("</table>")[0]
    assert "<td>quality.gopher_quality.min_words</td><td>20</td>" in told
    assert "<td>crawl.sources.rows.paths</td><td>[&#34;&lt;b&gt;.jsonl&#34;]</td>" in told
    assert "max_words" not in told  # as it is by default
