"""Runs a flow over the store; `crawl2chat run` and the flows on the dashboard both come here."""

import contextlib
import os
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from flows.catalog import compose_of
from flows.knobs import RunKnobs
from flows.lifeline import end_with_parent, leave_soon
from flows.progress import RunReporter
from flows.promotion import promote
from flows.words import duration, first_line, outcome, reason
from pipeline_config.pipeline import PipelineConfig
from pipeline_config.schedules import FlowName
from storage.runs import RunRecord, read_run
from storage.session import Session, Silent, current_session, session
from storage.store import Store, StoreError, VanishedError

STORE_VARIABLE = "CRAWL2CHAT_STORE"
PAGES_VARIABLE = "CRAWL2CHAT_PAGES_URL"
SERVED_VARIABLE = "CRAWL2CHAT_SERVED"  # set by `up`: this run is a child of the process that serves
DEFAULT_STORE = "crawl2chat-store"
MAX_SUMMARY_CHARACTERS = 100_000  # the dashboard's database keeps every artifact


class _Unseen(Silent):
    """The reporter of a run that nobody watches in a terminal."""

    def run_started(self, record: RunRecord) -> None:
        """Nothing."""


_reporter: ContextVar[RunReporter | None] = ContextVar("run_reporter", default=None)


@contextlib.contextmanager
def reporting_to(reporter: RunReporter) -> Iterator[None]:
    """Shows the runs that start inside through `reporter`."""
    token = _reporter.set(reporter)
    try:
        yield
    finally:
        _reporter.reset(token)


def store_url() -> str:
    """The store of this process: `CRAWL2CHAT_STORE`, or a folder here."""
    return os.environ.get(STORE_VARIABLE, DEFAULT_STORE)


def execute(name: FlowName, knobs: RunKnobs, overrides: dict[str, Any]) -> None:
    """Runs the steps of a flow; call it inside a Prefect flow run."""
    if SERVED_VARIABLE in os.environ:
        end_with_parent()
    config = knobs.configure(overrides)

    def compose_and_promote(settings: PipelineConfig) -> None:
        compose_of(name)(settings)
        promote(current_session(), settings)

    execute_composition(name, compose_and_promote, config, knobs.preset, knobs.workers)


def execute_composition(
    name: str, compose: Callable[[Any], Any], config: BaseModel, preset: str, workers: int = 0
) -> None:
    """Runs `compose(config)` in a session and leaves its summary on the dashboard."""
    from prefect.runtime import flow_run

    reporter = _reporter.get() or _Unseen()
    record: RunRecord | None = None
    try:
        with session(
            Store(store_url()),
            flow=name,
            preset=preset,
            config=config,
            workers=workers or _usable_cores(),
            reporter=reporter,
        ) as current:
            record = current.record
            record.prefect_id = str(flow_run.id)
            reporter.run_started(record)
            _compose(current, compose, config)
    except BaseException as error:
        if SERVED_VARIABLE in os.environ and not isinstance(error, Exception):
            leave_soon()  # cancelled
        raise
    finally:
        if record is not None:
            _leave_summary(Store(store_url()), record)


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _compose(current: Session, compose: Callable[[Any], Any], config: BaseModel) -> None:
    """Calls the steps; when a blob vanished under them, once more, which builds it again."""
    try:
        compose(config)
    except VanishedError as error:
        current.record.notes.append(f"started over: {error}")
        compose(config)


# ---- what a run leaves


def _leave_summary(store: Store, record: RunRecord) -> None:
    """One `run-summary` on the dashboard, in the flow's own run: it shows no others."""
    from prefect.artifacts import create_markdown_artifact
    from prefect.logging import get_run_logger

    try:
        text = summary(store, record)
        if len(text) > MAX_SUMMARY_CHARACTERS:
            text = text[:MAX_SUMMARY_CHARACTERS] + "\n\n(shortened; the report has all of it)"
        create_markdown_artifact(text, key="run-summary", description=f"run {record.id}")
    except Exception:  # must not hide why the run failed, nor fail one that did not
        get_run_logger().warning("the run's summary could not be saved", exc_info=True)


def summary(store: Store, record: RunRecord) -> str:
    """The run in Markdown: the report's own summary, if it wrote one, and the table of steps."""
    parts = [f"**{record.flow}**, preset {record.preset}, run `{record.id}`"]
    if record.error:
        what = f"{record.status.capitalize()}."
        reason = f" {failure(record)}" if record.status == "failed" else ""
        parts.append(f"**{what}**{reason}\n\nRetry: finished steps are kept.")
    text = report_text(store, record, "summary.md")
    if text:
        parts += [_report_link(record), text]
    parts.append(_table_of_steps(record))
    return "\n\n".join(filter(None, parts))


def failure(record: RunRecord) -> str:
    """Which step failed and why, in one line."""
    failed = [step for step in record.steps if step.status == "failed"]
    return f"{failed[0].label}: {reason(failed[0])}" if failed else first_line(record.error)


def _table_of_steps(record: RunRecord) -> str:
    rows = ["| step | state | time | records |", "|:--|:--|--:|:--|"]
    for step in record.steps:
        records = outcome(step) if step.status == "executed" else ""
        time = duration(step.seconds) if step.status == "executed" else ""
        rows.append(f"| {step.label} | {step.status} | {time} | {records.replace('|', '/')} |")
    return "\n".join(rows)


def report_text(store: Store, record: RunRecord, name: str) -> str:
    """A text that the run's report wrote, "" when it wrote none."""
    path = report_file(store, record, name)
    return path.read_text(encoding="utf-8") if path is not None else ""


def _report_link(record: RunRecord) -> str:
    pages = os.environ.get(PAGES_VARIABLE, "")
    return f"[Open the report]({pages}/runs/{record.id}/report.html)" if pages else ""


def report_file(store: Store, record: RunRecord, name: str) -> Path | None:
    """A file of the run's report, or None when it wrote no report."""
    ref = record.artifact("report")
    if ref is None:
        return None
    files = {entry.name: entry for entry in store.manifest_of(ref).files}
    return store.blob_path(files[name]) if name in files else None


def export_report(store: Store, run_id: str = "") -> Path | None:
    """Writes a run's report, with the run's own times and cache hits, to a file for browsers."""
    record = read_run(store, run_id)
    source = report_file(store, record, "report.html")
    if source is None:
        return None
    target = store.side / "reports" / f"{record.id}.html"
    target.parent.mkdir(exist_ok=True)
    page = _with_run(store, source.read_text(encoding="utf-8"), record)
    temporary = target.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(target)  # a browser may be reading the old one
    return target


def _with_run(store: Store, page: str, record: RunRecord) -> str:
    """The report with the run's figures; one that an older version wrote stays as it is."""
    from tasks.report.run_page import run_page

    manifests = {}
    for step in record.steps:
        ref = record.artifact(step.label)
        if ref is not None:
            with contextlib.suppress(StoreError):  # collected since: its figures are not shown
                manifests[step.label] = store.manifest_of(ref)
    try:
        return run_page(page, record, manifests)
    except ValueError:
        return page
