"""Adds a run to its report: which steps ran, which came from the cache, and how long they took.

The report is an artifact, equal for equal inputs, so it holds no run and no time. A run's own copy
is this function of the artifact and the run's record; it is written beside the record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from pydantic import ValidationError

from pipeline_config.pipeline import PipelineConfig
from storage.artifact import Manifest
from storage.runs import RunRecord, StepRun
from tasks.report.figures import duration
from tasks.report.page import RUN_LINE_SLOT, RUN_SLOT, environment, slot
from tasks.report.settings import flat


@dataclass(frozen=True, slots=True)
class _Row:
    label: str
    status: str
    seconds: float
    build_seconds: float | None  # of the build that a cached step reuses
    bytes: int | None
    percent: float  # of the longest


def run_page(report_html: str, run: RunRecord, manifests: Mapping[str, Manifest]) -> str:
    """`report_html` with the run's figures in their place.

    `manifests` (label -> manifest) say how long the cached steps once took and how large all are;
    steps without one are shown as far as the run knows them. Calling it on its own result replaces
    the figures.

    Raises:
        ValueError: when the page is no report of this version.
    """
    rows = [_row(step, manifests.get(step.label)) for step in run.steps]
    longest = max((row.build_seconds or row.seconds for row in rows), default=0.0)
    if longest:
        rows = [
            replace(row, percent=round(100 * (row.build_seconds or row.seconds) / longest, 2))
            for row in rows
        ]
    saved = sum(row.build_seconds or 0.0 for row in rows if row.status == "cached")
    table = (
        environment()
        .get_template("run.html.jinja")
        .render(
            run=run,
            rows=rows,
            saved=saved,
            started=_moment(run.started_at),
            changed=_changed(run.config),
            m=environment().get_template("macros.html.jinja").module,
        )
    )
    page = _fill(report_html, RUN_SLOT, Markup(table))
    return _fill(page, RUN_LINE_SLOT, _line(run))


def _row(step: StepRun, manifest: Manifest | None) -> _Row:
    if manifest is None:
        return _Row(step.label, step.status, step.seconds, None, None, 0.0)
    return _Row(
        step.label, step.status, step.seconds, manifest.seconds, manifest.ref.bytes, percent=0.0
    )


def _changed(config: dict[str, Any]) -> list[tuple[str, str]]:
    """What a run's settings change of the defaults; nothing where another version wrote them."""
    try:
        settings = PipelineConfig.model_validate(config)
    except ValidationError:
        return []
    return list(flat(settings.model_dump(mode="json", exclude_defaults=True)))


def _moment(iso: str) -> str:
    """`2026-11-21T03:45:12+00:00` as people write it: `2026-11-21 03:45 UTC`."""
    when = datetime.fromisoformat(iso).astimezone(UTC)
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _line(run: RunRecord) -> Markup:
    seconds = sum(step.seconds for step in run.steps)
    return Markup(
        '<p class="run-line">Run <a href="#run">{}</a>: {} steps executed, {} from cache, '
        "{} of work</p>"
    ).format(run.id, run.executed, run.cached, duration(seconds))


def _fill(page: str, markers: tuple[str, str], inside: Markup) -> str:
    begin, end = markers
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(
            f"the page has no single {begin!r}: it is no report, or one of another version; "
            "build the report step again"
        )
    before, rest = page.split(begin)
    _, after = rest.split(end)
    return f"{before}{slot(markers, inside)}{after}"
