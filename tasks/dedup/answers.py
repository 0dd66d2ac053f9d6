"""What dedup says about documents, file by file: decisions, and notes for the next run.

Of a file that an earlier run decided on, only what is decided again is written anew.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from storage.artifact import Counts, FileEntry
from storage.build import Build
from storage.documents import DECISION_SCHEMA
from storage.tables import read_table
from tasks.dedup.signed import Indices, SignedFile

DUPLICATE_SCHEMA = DECISION_SCHEMA.append(pa.field("cluster", pa.string()))
# By document that was signed: its neighbourhood's name, the id of its document that was seen first,
# or "" where it is alone; and `Verdicts.work`.
NOTE_SCHEMA = pa.schema(
    [
        ("neighbourhood", pa.string()),
        ("pairs_compared", pa.int32()),
        ("pairs_verified", pa.int32()),
        ("times_bucket_full", pa.int32()),
    ]
)
WORK = NOTE_SCHEMA.names[1:]

# Documents by their source and reason ("" when kept), and the sums of WORK by ("", its name).
Figures: TypeAlias = Counter[tuple[str, str]]


def notes_name(path: str) -> str:
    """The name of the notes beside a file of decisions."""
    return f"_neighbourhoods/{path}"


class Answer(NamedTuple):
    """What a run says about a file of documents, or about some of them."""

    decisions: pa.Table  # DUPLICATE_SCHEMA
    notes: pa.Table  # NOTE_SCHEMA, only of those that were signed

    @property
    def signed(self) -> Indices:
        """The rows of `decisions` that `notes` are about."""
        return np.flatnonzero(pc.not_equal(self.decisions["reason"], "quality"))

    def at(self, documents: Indices) -> "Answer":
        """What it says about some of those that were signed."""
        rows = self.signed[documents]
        return Answer(self.decisions.take(pa.array(rows)), self.notes.take(pa.array(documents)))


class Earlier(NamedTuple):
    """An earlier run, and which of the files that it decided on are what they were."""

    counts: Counts
    entries: dict[str, FileEntry]  # by name
    standing: dict[str, str]  # by path: the path then
    gone: Sequence[str]  # paths then of files that are no more, or are others now

    def read(self, build: Build, name: str) -> pa.Table:
        """One of its tables."""
        return read_table(build.store.blob_path(self.entries[name]))

    def neighbourhoods(self, build: Build, path: str) -> pa.ChunkedArray:
        """The names of those of a file's signed documents."""
        notes = build.store.blob_path(self.entries[notes_name(path)])
        return read_table(notes, ["neighbourhood"])["neighbourhood"]

    def answer(self, build: Build, path: str) -> Answer:
        """What it says about a file."""
        return Answer(self.read(build, path), self.read(build, notes_name(path)))

    def signed_answer(self, build: Build, path: str) -> Answer:
        """What it says about the signed documents of a file."""
        answer = self.answer(build, path)
        return answer.at(np.arange(answer.notes.num_rows))


def write_answers(
    build: Build,
    files: Sequence[SignedFile],
    earlier: Earlier | None,
    rows: Mapping[str, Indices],
    decided: pa.Table,
    notes: pa.Table,
) -> Figures:
    """Write a file of decisions and one of notes for each of `files`; return the figures of all.

    `decided` and `notes` are about the signed documents at `rows`, file after file. All others
    stand as in the earlier run.
    """
    figures = Figures() if earlier is None else _figures_before(build, earlier)
    start = 0
    for file in files:
        at = rows[file.path]
        own = Answer(
            decided.slice(start, len(at)).cast(DUPLICATE_SCHEMA),
            notes.slice(start, len(at)),
        )
        start += len(at)
        figures.update(_tally(file.source, own))
        if earlier is not None and file.path in earlier.standing:
            replaced = _write_changes(build, earlier, file.path, at, own)
            figures.subtract(_tally(file.source, replaced))
            continue
        before = dropped_by_quality(build, file)
        passed = np.flatnonzero(before["kept"])
        if len(passed) != len(at):
            raise ValueError(
                f"{file.path}: {len(at)} documents are signed, the decisions keep {len(passed)}"
            )
        if before["id"].take(pa.array(passed)) != own.decisions["id"]:
            raise ValueError(f"{file.path}: signatures and decisions do not match")
        build.add_table(file.path, _replaced(before, passed, own.decisions), DUPLICATE_SCHEMA)
        build.add_table(notes_name(file.path), own.notes, NOTE_SCHEMA)
    return figures


def dropped_by_quality(build: Build, file: SignedFile) -> pa.Table:
    """DUPLICATE_SCHEMA for all documents of a file, as if quality had dropped each of them.

    But for `kept`, which is quality's.
    """
    quality = read_table(build.store.blob_path(file.decisions), ["id", "kept"])
    number = quality.num_rows
    columns = {
        "reason": pa.repeat("quality", number),
        "duplicate_of": pa.repeat("", number),
        "similarity": pa.repeat(pa.scalar(0.0, pa.float32()), number),
        "cluster": quality["id"],
    }
    return pa.table({name: quality[name] for name in ("id", "kept")} | columns, DUPLICATE_SCHEMA)


def _write_changes(build: Build, earlier: Earlier, path: str, at: Indices, own: Answer) -> Answer:
    """Write an earlier run's files, with `own` for the signed documents at `at`; return theirs."""
    path_then = earlier.standing[path]
    decisions = earlier.entries[path_then].model_copy(update={"name": path})
    notes = earlier.entries[notes_name(path_then)].model_copy(update={"name": notes_name(path)})
    if not len(at):
        build.add_stored(decisions)
        build.add_stored(notes)
        return own
    before = earlier.answer(build, path_then)
    rows, replaced = before.signed[at], before.at(at)
    if replaced.decisions == own.decisions:
        build.add_stored(decisions)
    else:
        build.add_table(path, _replaced(before.decisions, rows, own.decisions), DUPLICATE_SCHEMA)
    if replaced.notes == own.notes:
        build.add_stored(notes)
    else:
        build.add_table(notes_name(path), _replaced(before.notes, at, own.notes), NOTE_SCHEMA)
    return replaced


def _replaced(table: pa.Table, rows: Indices, own: pa.Table) -> pa.Table:
    """A table with other values at some of its rows."""
    taken = np.arange(table.num_rows)
    taken[rows] = table.num_rows + np.arange(own.num_rows)
    return pa.concat_tables([table, own]).take(pa.array(taken))


def _tally(source: str, answer: Answer) -> Figures:
    """The figures of some documents of a source."""
    reasons = pc.value_counts(answer.decisions["reason"]).to_pylist()
    figures = Figures({(source, row["values"]): row["counts"] for row in reasons})
    figures.update({("", name): pc.sum(answer.notes[name]).as_py() or 0 for name in WORK})
    return figures


def _figures_before(build: Build, earlier: Earlier) -> Figures:
    """Those of an earlier run, without its files that are gone."""
    told = earlier.counts.extra
    figures = Figures({("", name): told[name] for name in WORK})
    for source, own in told["by_source"].items():
        figures.update({(source, "" if key == "kept" else key): n for key, n in own.items()})
    for path in earlier.gone:
        figures.subtract(_tally(path.split("/")[0], earlier.signed_answer(build, path)))
    return figures
