"""Edit: kept documents -> what is cut out of each or replaced, and who is dropped for it.

`00000.parquet` is row-aligned with the documents: EDITED_SCHEMA. All rules read the extracted text.
Where two cuts overlap they become one, under the reason of the first; what is personal inside a cut
goes with it. Rows that quality dropped are carried along (reason "quality") and not counted.
"""

from collections.abc import Container, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.edits import EditRules
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.documents import EDITED_SCHEMA, apply_edits, count_reasons
from storage.shards import Shard, ShardOutput
from storage.tables import read_table

Cut = tuple[int, int, str]  # start, end, reason
WORD_MASK = "<WORD>"


class Edited(NamedTuple):
    """What becomes of one document."""

    edits: list[dict[str, Any]]
    reason: str  # for which it is dropped, "" when it is kept


def edit_documents(
    build: Build,
    documents: ArtifactRef,
    decisions: ArtifactRef,
    boilerplate: ArtifactRef | None,
    rules: EditRules,
) -> None:
    """Edit the documents of one source that quality kept.

    Raises:
        ValueError: when none is kept, with the funnel; when an entry of a word list is useless.
    """
    extra = tuple(build.files(boilerplate, "lines.parquet")) if boilerplate else ()
    words = read_words(rules.words.lists)
    prepared_words(tuple(words))  # entries that cannot be found are refused before any work
    pairs = zip(build.files(documents), build.files(decisions), strict=True)
    shards = [
        Shard(ours.name.removesuffix(".parquet"), (ours, theirs, *extra), extra=words)
        for ours, theirs in pairs
    ]
    # The words count, not the paths of their files.
    params = rules.model_copy(update={"words": rules.words.model_copy(update={"lists": ()})})
    build.map_shards(edit_shard, shards, params)
    if not build.counts.kept:
        raise ValueError(f"{build.label} keeps nothing: {build.counts}")


def read_words(paths: Iterable[str]) -> list[str]:
    """The lines of all word lists."""
    lines = (Path(path).expanduser().read_text(encoding="utf-8") for path in paths)
    return sorted({line.strip() for text in lines for line in text.splitlines() if line.strip()})


def edit_shard(inputs: list[Path], rules: EditRules, out: ShardOutput) -> None:
    """Edit one file of documents, given it, quality's decisions, and the boilerplate if any."""
    documents = read_table(inputs[0], ["id", "text"])
    decisions = read_table(inputs[1], ["id", "kept"])
    if documents["id"] != decisions["id"]:
        raise ValueError(f"{out.name}: quality decided on other documents")
    boilerplate = frozenset[int]()
    if len(inputs) > 2:
        boilerplate = frozenset(read_table(inputs[2], ["line"])["line"].to_pylist())
    words = tuple(out.extra)
    rows: list[Edited] = []
    for text, kept in zip(documents["text"], decisions["kept"].to_pylist(), strict=True):
        rows.append(
            edit_text(text.as_py(), rules, boilerplate, words) if kept else Edited([], "quality")
        )
    table = edited_table(documents["id"], rows)
    out.add_table(f"{out.name}.parquet", table, EDITED_SCHEMA)
    reasons = count_reasons(table)
    reasons.pop("quality", None)
    out.counts.kept += pc.sum(table["kept"]).as_py() or 0
    for reason, number in reasons.items():
        out.counts.drop(reason, number)
    out.counts.read += int(pc.sum(decisions["kept"]).as_py() or 0)
    out.counts.edited += sum(bool(row.edits) for row in rows)


def edited_table(ids: pa.ChunkedArray, rows: list[Edited]) -> pa.Table:
    """Return EDITED_SCHEMA for some documents."""
    return pa.table(
        {
            "id": ids,
            "kept": [not row.reason for row in rows],
            "reason": [row.reason for row in rows],
            "duplicate_of": pa.repeat("", len(rows)),
            "similarity": np.zeros(len(rows), np.float32),
            "edits": pa.array([row.edits for row in rows], EDITED_SCHEMA.field("edits").type),
        },
        schema=EDITED_SCHEMA,
    )


def edit_text(
    text: str, rules: EditRules, boilerplate: Container[int] = (), words: tuple[str, ...] = ()
) -> Edited:
    """Return what becomes of one text; a document that is dropped has no edits."""
    from tasks.quality.c4 import c4_line_edits
    from tasks.quality.lines import repeated_line_edits
    from tasks.quality.pii import PLACEHOLDERS, find_pii
    from tasks.quality.refinedweb import refinedweb_line_edits, removed_word_fraction
    from tasks.quality.word_lists import find_words

    refined = refinedweb_line_edits(text, rules.refinedweb_lines)
    most = rules.refinedweb_lines.max_removed_word_fraction
    if refined and most is not None and removed_word_fraction(text, refined) > most:
        return Edited([], "refinedweb_lines")
    found = find_words(text, prepared_words(words)) if words else []
    if found and rules.words.action == "drop" and len(found) > rules.words.max_found:
        return Edited([], "listed_words")
    personal = find_pii(text, rules.pii) if rules.pii.enabled else []
    if rules.pii.max_found is not None and len(personal) > rules.pii.max_found:
        return Edited([], "pii")

    cuts = [*c4_line_edits(text, rules.c4_lines), *refined]
    cuts += repeated_line_edits(text, rules.repeated_lines, boilerplate)
    if rules.words.action == "cut_line":
        cuts += [(*line_around(text, start, end), "listed_word") for start, end in found]
    changes: list[tuple[int, int, str, str]] = [
        (start, end, "", reason) for start, end, reason in merge_cuts(cuts)
    ]
    changes += [(start, end, PLACEHOLDERS[kind], kind) for start, end, kind in personal]
    if rules.words.action == "mask":
        changes += [(start, end, WORD_MASK, "listed_word") for start, end in found]
    edits = first_of_overlapping(changes)
    if edits and not apply_edits(text, [change[:3] for change in edits]).strip():
        return Edited([], "empty_after_edits")
    names = ("start", "end", "replacement", "reason")
    return Edited([dict(zip(names, change, strict=True)) for change in edits], "")


def merge_cuts(cuts: list[Cut]) -> list[Cut]:
    """Return the cuts in order; those that overlap become one, under the first one's reason.

    >>> merge_cuts([(4, 9, "b"), (0, 5, "a"), (12, 13, "c")])
    [(0, 9, 'a'), (12, 13, 'c')]
    """
    merged: list[Cut] = []
    for start, end, reason in sorted(cuts, key=lambda cut: cut[:2]):
        if merged and start < merged[-1][1]:
            first, last, name = merged[-1]
            merged[-1] = (first, max(last, end), name)
        else:
            merged.append((start, end, reason))
    return merged


def first_of_overlapping(
    changes: list[tuple[int, int, str, str]],
) -> list[tuple[int, int, str, str]]:
    """Return the changes in order, without those that overlap one given before them.

    Of a change that a cut reaches halfway into, the rest is cut too.
    """
    taken = bytearray(max((end for _, end, _, _ in changes), default=0))
    kept = []
    for start, end, replacement, reason in changes:
        if not any(taken[start:end]):
            kept.append((start, end, replacement, reason))
        else:
            kept += [(*run, "", reason) for run in free_runs(taken, start, end)]
        taken[start:end] = b"\1" * (end - start)
    return sorted(kept)


def free_runs(taken: bytearray, start: int, end: int) -> list[tuple[int, int]]:
    """Return the stretches between two places that nobody has taken.

    >>> free_runs(bytearray([0, 1, 1, 0, 0]), 0, 5)
    [(0, 1), (3, 5)]
    """
    runs: list[tuple[int, int]] = []
    for place in range(start, end):
        if taken[place]:
            continue
        if runs and runs[-1][1] == place:
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
    return runs


def line_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the line that holds a span, with its newline."""
    newline = text.find("\n", end)
    return text.rfind("\n", 0, start) + 1, len(text) if newline < 0 else newline + 1


@lru_cache(maxsize=4)
def prepared_words(words: tuple[str, ...]) -> Any:
    """The word list, prepared once per process."""
    from tasks.quality.word_lists import word_list

    return word_list(words)
