"""Gathers what steps changed in texts: how often for each reason, and examples where they stand.

What was replaced was to be hidden, so its letters and digits are not shown; nor is what was hidden
beside it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.report import ReportConfig
from storage.documents import apply_edits
from tasks.report.contents import EditExample, ReasonEdits
from tasks.report.examples import Place
from tasks.report.funnel import add_up, by_number
from tasks.report.inputs import Inputs, Tables

EDITING_STEPS = ("edit", "substring")  # in the order of their layers
COLUMNS = ["id", "kept", "edits"]
CONTEXT = 80  # characters around a changed span
LONGEST_SPAN = 400  # characters of it that are shown

Indices = npt.NDArray[np.int64]


def edited_texts(
    inputs: Inputs, source: str, texts: dict[Place, str], steps: Iterable[str]
) -> dict[Place, str]:
    """Texts of one source with the edits that some steps made, as far as they were run."""
    found = dict(texts)
    for step in steps:
        tables = inputs.decisions(step, source, COLUMNS)
        for place, row in tables.rows(list(found)).items() if tables is not None else ():
            found[place] = _apply(found[place], row["edits"])
    return found


def edits(inputs: Inputs, config: ReportConfig) -> tuple[ReasonEdits, ...]:
    """A few changed spans per source and reason, by frequency."""
    found: list[ReasonEdits] = []
    for source in inputs.documents():
        for number, step in enumerate(EDITING_STEPS):
            tables = inputs.decisions(step, source, COLUMNS)
            if tables is not None:
                found += _of_step(inputs, step, source, tables, EDITING_STEPS[:number], config)
    return tuple(found)


def count_edits(tables: Tables) -> dict[str, int]:
    """How many spans of kept documents are changed for each reason."""
    counts = []
    for table in tables:
        _, _, reasons = _spans(table)
        counts.append(dict(zip(*np.unique(reasons, return_counts=True), strict=True)))
    return {str(name): int(number) for name, number in add_up(counts).items()}


def _of_step(
    inputs: Inputs,
    step: str,
    source: str,
    tables: Tables,
    before: Iterable[str],
    config: ReportConfig,
) -> Iterator[ReasonEdits]:
    """The examples of one step; `before` are the steps that made edits before it."""
    numbers = count_edits(tables)
    chosen = _choose(tables, config.examples_per_reason)
    places = [place for found in chosen.values() for place, _ in found]
    documents = inputs.tables(inputs.documents()[source], ["url", "text"]).rows(places)
    texts = {place: str(row["text"]) for place, row in documents.items()}
    texts = edited_texts(inputs, source, texts, before)
    own = tables.rows(places)
    for reason, number in by_number(numbers):
        yield ReasonEdits(
            step,
            source,
            reason,
            number,
            tuple(
                _example(own[place], str(documents[place]["url"]), texts[place], span)
                for place, span in chosen.get(reason, [])
            ),
        )


def _choose(tables: Tables, most: int) -> dict[str, list[tuple[Place, int]]]:
    """For each reason the first span of the documents with the smallest ids: place, number."""
    found: dict[str, dict[str, tuple[Place, int]]] = {}
    for number, table in enumerate(tables):
        rows, spans, reasons = _spans(table)
        ids = table.column("id")
        for reason in np.unique(reasons):
            own = found.setdefault(str(reason), {})
            for row, span in zip(rows[reasons == reason], spans[reasons == reason], strict=True):
                own.setdefault(ids[int(row)].as_py(), (Place(number, int(row)), int(span)))
            found[str(reason)] = dict(sorted(own.items())[:most])
    return {reason: list(own.values()) for reason, own in found.items()}


def _spans(table: pa.Table) -> tuple[Indices, Indices, npt.NDArray[np.object_]]:
    """Row, number within the row, and reason of every changed span of a kept document."""
    kept = table.filter(table.column("kept"))
    rows_of_kept = np.flatnonzero(table.column("kept").to_numpy())
    lists = kept.column("edits").combine_chunks()
    parents = np.asarray(pc.list_parent_indices(lists), dtype=np.int64)
    reasons = np.asarray(pc.struct_field(pc.list_flatten(lists), "reason"), dtype=object)
    firsts = np.searchsorted(parents, parents)  # where the row's spans begin
    return rows_of_kept[parents], np.arange(len(parents)) - firsts, reasons


def _apply(text: str, edits: object) -> str:
    assert isinstance(edits, list)
    return apply_edits(text, [(one["start"], one["end"], one["replacement"]) for one in edits])


def _example(row: dict[str, object], url: str, text: str, span: int) -> EditExample:
    changes = row["edits"]
    assert isinstance(changes, list)
    start, end, replacement = (changes[span][key] for key in ("start", "end", "replacement"))
    cut = text[start : min(end, start + LONGEST_SPAN)]
    return EditExample(
        str(row["id"]),
        url,
        _part(text, changes, max(0, start - CONTEXT), start),
        _shape(cut) if replacement else cut,
        replacement,
        _part(text, changes, end, min(len(text), end + CONTEXT)),
    )


def _part(text: str, changes: list[dict[str, Any]], start: int, end: int) -> str:
    """A stretch of a text with the edits that reach into it."""
    inside = [
        {
            "start": max(change["start"], start) - start,
            "end": min(change["end"], end) - start,
            "replacement": change["replacement"],
        }
        for change in changes
        if change["start"] < end and change["end"] > start
    ]
    return _apply(text[start:end], inside)


def _shape(text: str) -> str:
    """What a text looks like, without what it says.

    >>> _shape("jane.doe@example.org, +49 30 1234")
    'xxxx.xxx@xxxxxxx.xxx, +00 00 0000'
    """
    return "".join(
        "0" if letter.isdigit() else "x" if letter.isalpha() else letter for letter in text
    )
