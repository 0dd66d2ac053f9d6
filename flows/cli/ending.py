"""The last lines of `crawl2chat run`: what came out and what became of it, or why it failed."""

from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from pathlib import Path

    from flows.progress import TerminalReporter
    from storage.store import Store


def explain_failure(error: Exception, reporter: "TerminalReporter", log: "Path") -> str:
    """Why a run failed, where all that it wrote is, and how to go on."""
    from flows.runner import failure

    record = reporter.record
    reason = failure(record) if record is not None and record.error else str(error).strip()
    lines = [
        f"failed: {reason.splitlines()[0] if reason else type(error).__name__}",
        f"  all output: {log}",
        f"  finished steps are kept: {how_to_go_on(error)}",
    ]
    return "\n".join(lines)


def how_to_go_on(error: Exception) -> str:
    """A network or a disk may do better next time; what a step refuses, it refuses again."""
    from storage.store import StoreError

    if isinstance(error, OSError | StoreError):
        return "run the same command again to go on from there"
    return "once the cause is mended, the same command goes on from there"


def print_ending(console: Console, store: "Store", reporter: "TerminalReporter") -> None:
    """Results, where the report is, and what became of the references."""
    from flows.runner import export_report, report_text
    from storage.runs import read_reference

    record = reporter.record
    if record is None:
        return
    results = report_text(store, record, "results.txt")
    if results:
        console.print(f"\n{results.rstrip()}", markup=False, soft_wrap=True)
    console.print(
        f"\n[bold]{record.executed} executed, {record.cached} cached[/]   run {record.id}",
    )
    report = export_report(store, record.id)
    suffix = "" if store.url.endswith("/crawl2chat-store") else f" --store {store.url}"
    if report is not None:
        console.print(f"report     {report}", soft_wrap=True)
    console.print(f"dashboard  crawl2chat up{suffix}", soft_wrap=True)
    current, own = read_reference(store, "current/chat"), record.artifact("sft")
    if own is not None and (current is None or current.artifact.digest != own.digest):
        console.print(f"chat       crawl2chat chat sft{suffix}", soft_wrap=True)
    elif current is not None:
        console.print(f"chat       crawl2chat chat{suffix}", soft_wrap=True)
    for line in record.standing:
        console.print(line, soft_wrap=True, markup=False)
    for note in record.notes:
        console.print(f"note       {note}", soft_wrap=True, markup=False)
