"""The last lines of `crawl2chat run`: which model to talk to, and what did not move."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from flows.cli.ending import print_ending
from storage.artifact import ArtifactRef
from storage.runs import RunRecord, StepRun, move_reference, write_run
from storage.store import Store

OURS, OTHER = "a" * 64, "b" * 64


def ending(store: Store, digest: str, notes: list[str], standing: str = "") -> list[str]:
    steps = [StepRun(label="sft", step="sft", recipe="r", digest=digest)] if digest else []
    record = RunRecord(
        id="1", flow="f", preset="p", config={}, started_at="", steps=steps, notes=notes,
        standing=[standing] if standing else [],
    )  # fmt: skip
    write_run(store, record)
    text = io.StringIO()
    print_ending(Console(file=text, width=200), store, SimpleNamespace(record=record))  # type: ignore[arg-type]
    return text.getvalue().splitlines()


@pytest.mark.parametrize(
    ("trained", "current", "command"),
    [
        (OURS, OURS, "crawl2chat chat"),
        (OURS, OTHER, "crawl2chat chat sft"),  # a gate kept ours back, or it is a trial
        (OURS, "", "crawl2chat chat sft"),
        ("", OTHER, "crawl2chat chat"),
        ("", "", None),
    ],
)
def test_it_names_the_model_of_this_run(
    store: Store, trained: str, current: str, command: str | None
) -> None:
    if current:
        ref = ArtifactRef(step="sft", recipe="r", digest=current)
        move_reference(store, "current/chat", ref, "1")
    lines = ending(store, trained, [])
    found = [line.split("  ")[-1].strip() for line in lines if line.startswith("chat ")]
    assert found == ([f"{command} --store {store.url}"] if command else [])


def test_it_says_what_did_not_move(store: Store) -> None:
    note = "current/chat stays where it is: accuracy [0.3]"
    assert ending(store, "", [note])[-1] == f"note       {note}"


def test_it_says_what_became_of_the_current_corpus(store: Store) -> None:
    line = "current/corpus  now this corpus: 3 documents of 1 source"
    assert line in ending(store, "", [], line)
