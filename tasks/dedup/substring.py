"""Substring: the texts that dedup kept -> what is cut from them because it stands elsewhere too.

Reads documents, their edits and dedup's decisions of all sources. `<source>/00000.parquet` is
row-aligned with the documents: EDITED_SCHEMA, whose edits refer to the text that the edits before
left. The first occurrence of a span stays: sources in order of preference, then by name, documents
in their order. Rows that were dropped before are carried along (reason "quality" or "dedup") and
not counted. `_anchors/<source>/00000.parquet` are the shards' anchors, for the next run. Anchors
are found and files are cut shard by shard; what repeats is looked for over all of them at once.

Lee et al., "Deduplicating training data makes language models better" (arXiv 2107.06499).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.substring import SubstringConfig
from storage.artifact import ArtifactRef, FileEntry
from storage.build import Build
from storage.documents import EDITED_SCHEMA, apply_edits, kept_rows
from storage.shards import Shard, ShardOutput, put_file
from storage.tables import read_table, write_table

REASON = "repeated_span"  # of an edit
Edits = list[dict[str, Any]]


@dataclass(frozen=True)
class TextFile:
    """One file of documents with all that was said about it."""

    source: str
    entries: tuple[FileEntry, FileEntry, FileEntry]  # documents, edited, deduped

    @property
    def name(self) -> str:
        """The name of the file that says what is cut, without its suffix."""
        return f"{self.source}/{self.entries[0].name.removesuffix('.parquet')}"


def cut_substrings(
    build: Build,
    documents: dict[str, ArtifactRef],
    edited: dict[str, ArtifactRef],
    deduped: ArtifactRef,
    config: SubstringConfig,
) -> None:
    """Find the spans of all sources that come more than once, and cut all but the first.

    Raises:
        ValueError: when there is no text, or no document is left.
    """
    files = list(text_files(build, documents, edited, deduped, config.preferred_sources))
    compared = [file for file in files if file.source not in config.spared_sources]
    anchors = find_anchors(build, compared, config)
    if not build.counts.read:
        raise ValueError(f"{build.label} reads no document of {', '.join(sorted(documents))}")
    marks = find_marks(build, compared, anchors, config)
    cut_files(build, files, dict(zip(compared, marks, strict=True)), config)
    if not build.counts.kept:
        raise ValueError(f"{build.label} keeps nothing: {build.counts}")


def text_files(
    build: Build,
    documents: dict[str, ArtifactRef],
    edited: dict[str, ArtifactRef],
    deduped: ArtifactRef,
    preferred_sources: tuple[str, ...],
) -> Iterator[TextFile]:
    """All files in the order in which the first occurrence of a span stays."""
    decided = {entry.name: entry for entry in build.files(deduped)}
    rank = {source: number for number, source in enumerate(preferred_sources)}
    for source in sorted(documents, key=lambda name: (rank.get(name, len(rank)), name)):
        edits = {entry.name: entry for entry in build.files(edited[source])}
        for entry in build.files(documents[source]):
            yield TextFile(source, (entry, edits[entry.name], decided[f"{source}/{entry.name}"]))


# ---- where a span may repeat


def find_anchors(build: Build, files: list[TextFile], config: SubstringConfig) -> list[FileEntry]:
    """A table of anchors for each file, in the same order; counts the documents."""
    shards = [Shard(file.name, file.entries) for file in files]
    span = {"length": config.length, "in_words": config.min_words is not None}
    return build.map_shards(anchor_shard, shards, span)


def anchor_shard(inputs: list[Path], params: dict[str, Any], out: ShardOutput) -> None:
    """The anchors of one file of documents, given it, its edits and dedup's decisions."""
    from tasks.dedup.anchor_files import ANCHOR_SCHEMA, GROUP_ROWS, anchor_table
    from tasks.dedup.anchors import Span

    texts = kept_texts(inputs)
    table, num_units, num_bytes = anchor_table(texts, Span(**params))
    path = out.scratch / "anchors.parquet"
    digest = write_table(path, table, ANCHOR_SCHEMA, row_group_rows=GROUP_ROWS)
    out.add_file(f"_anchors/{out.name}.parquet", path, rows=table.num_rows, digest=digest)
    out.counts.read += len(texts)
    out.counts.extra |= {"anchors": table.num_rows, "units": num_units, "word_bytes": num_bytes}


def kept_texts(paths: list[Path]) -> pa.Array:
    """The texts that dedup kept, as the edits left them."""
    column = kept_rows(*paths, columns=["text"])["text"]
    return pc.cast(column, pa.large_string()).combine_chunks()


def find_marks(
    build: Build, files: list[TextFile], anchors: list[FileEntry], config: SubstringConfig
) -> list[Path]:
    """The repeated words of every file: a file of MARKs for each."""
    from tasks.dedup.anchors import Span
    from tasks.dedup.passes import mark_repeats

    extra = build.counts.extra
    shards = [
        partial(kept_texts, [build.store.blob_path(entry) for entry in file.entries])
        for file in files
    ]
    found = mark_repeats(
        shards,
        [build.store.blob_path(entry) for entry in anchors],
        Span(config.length, config.min_words is not None),
        extra["word_bytes"] / max(extra.pop("units"), 1),
        config.max_bytes,
        build.scratch,
        lambda done, total: build.progress(done, total, "passes"),
    )
    extra |= {
        "repeated_anchors": found.num_anchors,
        "compared_bytes": found.num_compared,
        "passes": found.num_passes,
    }
    return found.marks


# ---- what is cut


def cut_files(
    build: Build, files: list[TextFile], marks: dict[TextFile, Path], config: SubstringConfig
) -> None:
    """Decide on every file; one that has the same MARKs as in an earlier run is not read again."""
    from tasks.dedup.cuts import canonical
    from tasks.dedup.passes import MARK

    shards = []
    for file in files:
        inputs: tuple[FileEntry, ...] = file.entries
        if file in marks:
            path = marks[file]
            found = np.fromfile(path, MARK) if path.exists() else np.empty(0, MARK)
            canonical(found).tofile(path)
            inputs += (put_file(build.store, f"{file.name}.marks", path, len(found), ""),)
        shards.append(Shard(file.name, inputs, extra=file.source))
    params = {"min_characters_left": config.min_characters_left}
    build.map_shards(cut_shard, shards, params, unit="files")


def cut_shard(inputs: list[Path], params: dict[str, int], out: ShardOutput) -> None:
    """The edits and decisions of one file, given its three inputs and, if compared, its MARKs."""
    decided = read_table(inputs[2])
    kept = int(pc.sum(decided["kept"]).as_py() or 0)
    edits, left = edits_of(inputs[:3], inputs[3]) if inputs[3:] else ({}, {})
    too_short = {row for row, size in left.items() if size < params["min_characters_left"]}
    table = decision_table(decided, edits, too_short)
    out.add_table(f"{out.name}.parquet", table, EDITED_SCHEMA)

    spans = [edit for row, found in edits.items() if row not in too_short for edit in found]
    own = {
        "kept": kept - len(too_short),
        "edited": len(edits) - len(too_short),
        "dropped": len(too_short),
        "spans": len(spans),
        "characters_cut": sum(edit["end"] - edit["start"] for edit in spans),
    }
    out.counts.read = 0 if inputs[3:] else kept  # who was compared was counted with the anchors
    out.counts.kept, out.counts.edited = own["kept"], own["edited"]
    out.counts.drop("substring_too_short", len(too_short))
    out.counts.extra["by_source"] = {out.extra: own}


def edits_of(paths: list[Path], marks: Path) -> tuple[dict[int, Edits], dict[int, int]]:
    """By row among the kept: the edits, and how many characters they leave."""
    from tasks.dedup.cuts import spans_by_text
    from tasks.dedup.passes import MARK

    edits: dict[int, Edits] = {}
    left: dict[int, int] = {}
    found = np.fromfile(marks, MARK)
    if not len(found):
        return edits, left
    texts = kept_texts(paths)
    for row, spans in spans_by_text(texts, found):
        edits[row] = [
            {"start": start, "end": end, "replacement": "", "reason": REASON}
            for start, end in spans
        ]
        left[row] = len(apply_edits(texts[row].as_py(), [(*span, "") for span in spans]).strip())
    return edits, left


def decision_table(decided: pa.Table, edits: dict[int, Edits], too_short: set[int]) -> pa.Table:
    """EDITED_SCHEMA for a file of dedup's decisions; rows in the mappings count the kept ones."""
    before = np.asarray(decided["kept"], dtype=bool)
    rows = np.flatnonzero(before)
    kept = before.copy()
    kept[rows[sorted(too_short)]] = False
    by_quality = np.asarray(pc.equal(decided["reason"], "quality"), dtype=bool)
    reason = np.where(by_quality, "quality", "dedup")
    reason = np.where(before, np.where(kept, "", "substring_too_short"), reason)
    lists: list[Edits] = [[] for _ in range(len(before))]
    for row, found in edits.items():
        if row not in too_short:
            lists[rows[row]] = found
    return pa.table(
        {
            "id": decided["id"],
            "kept": kept,
            "reason": reason,
            "duplicate_of": pa.repeat("", len(before)),
            "similarity": pa.repeat(pa.scalar(0.0, pa.float32()), len(before)),
            "edits": pa.array(lists, EDITED_SCHEMA.field("edits").type),
        },
        schema=EDITED_SCHEMA,
    )
