"""Adds a run to its report: which steps ran, which came from the cache, and how long they took.

The report is an artifact, equal for equal inputs, so it holds no run and no time. A run's own copy
is this function of the artifact and the run's record; it is written beside the record.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup

from storage.runs import RunRecord
from tasks.report.figures import duration
from tasks.report.page import RUN_LINE_SLOT, RUN_SLOT, environment, slot


@dataclass(frozen=True, slots=True)
class _Row:
    label: str
    status: str
    seconds: float
    build_seconds: float | None  # of the build that a cached step reuses
    percent: float  # of the longest


def run_page(
    report_html: str, run: RunRecord, build_seconds: Mapping[str, float] | None = None
) -> str:
    """`report_html` with the run's figures in their place.

    `build_seconds` (label -> seconds in the step's manifest) says how long the cached steps took
    when they were built. Calling it again on its own result replaces the figures.

    Raises:
        ValueError: when the page is no report of this version.
    """
    built = dict(build_seconds or {})
    for step in run.steps:
        if step.status == "executed":
            built.setdefault(step.label, step.seconds)
    longest = max((built.get(s.label, s.seconds) for s in run.steps), default=0.0)
    rows = [
        _Row(
            step.label,
            step.status,
            step.seconds,
            built.get(step.label),
            round(100 * built.get(step.label, step.seconds) / longest, 2) if longest else 0.0,
        )
        for step in run.steps
    ]
    saved = sum(row.build_seconds or 0.0 for row in rows if row.status == "cached")
    table = (
        environment()
        .get_template("run.html.jinja")
        .render(run=run, rows=rows, saved=saved, started=_moment(run.started_at))
    )
    page = _fill(report_html, RUN_SLOT, Markup(table))
    return _fill(page, RUN_LINE_SLOT, _line(run))


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
