"""Assemble: documents, decisions and edits -> the corpus, the texts that all later stages read.

`<source>/00000.parquet` has CORPUS_SCHEMA: the documents that every decision keeps, in their order,
with all edits applied. Here they are applied for good; the id stays that of the extracted text. So
one artifact holds what a model is trained on, and can be exported and read as it is.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from storage.artifact import ArtifactRef, FileEntry
from storage.build import Build
from storage.documents import CORPUS_SCHEMA, kept_rows
from storage.shards import Shard, ShardOutput

Decisions = Mapping[str, ArtifactRef] | ArtifactRef  # by source, or one artifact for all sources


def assemble_corpus(
    build: Build, documents: Mapping[str, ArtifactRef], decisions: Sequence[Decisions]
) -> None:
    """Write the corpus of all sources.

    Raises:
        ValueError: when a file of documents has no decisions, or nothing is kept.
    """
    shards = []
    for source in sorted(documents):
        layers = [decision_files(build, layer, source) for layer in decisions]
        for entry in build.files(documents[source], ".parquet"):
            missing = [layer for layer in layers if entry.name not in layer]
            if missing:
                raise ValueError(f"there are no decisions on {source}/{entry.name}")
            inputs = (entry, *(layer[entry.name] for layer in layers))
            shards.append(Shard(f"{source}/{entry.name.removesuffix('.parquet')}", inputs))
    build.map_shards(assemble_shard, shards)
    if not build.counts.kept:
        raise ValueError(f"{build.label} has no document to write: {build.counts}")


def decision_files(build: Build, decisions: Decisions, source: str) -> dict[str, FileEntry]:
    """The files of decisions on one source, by the name of the documents' file."""
    if isinstance(decisions, Mapping):
        return {entry.name: entry for entry in build.files(decisions[source], ".parquet")}
    return {
        entry.name.removeprefix(f"{source}/"): entry
        for entry in build.files(decisions, ".parquet")
        if entry.name.startswith(f"{source}/")
    }


def assemble_shard(inputs: list[Path], _params: None, out: ShardOutput) -> None:
    """Write the kept rows of one file of documents, given it and its decisions in order.

    Where nothing is kept there is no file: `datasets` loads none without rows.
    """
    rows = kept_rows(*inputs, columns=CORPUS_SCHEMA.names)
    has_text = pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(rows["text"])), 0)
    kept = rows.filter(has_text)
    if kept.num_rows:
        out.add_table(f"{out.name}.parquet", kept, CORPUS_SCHEMA)
    out.counts.read += pq.read_metadata(inputs[0]).num_rows
    out.counts.drop("dropped_before", out.counts.read - rows.num_rows)
    out.counts.kept += kept.num_rows
    out.counts.drop("empty_text", rows.num_rows - kept.num_rows)
    source = out.name.partition("/")[0]
    size = pc.sum(pc.binary_length(kept["text"])).as_py() or 0
    out.counts.extra["sources"] = {source: {"documents": kept.num_rows, "bytes": size}}
