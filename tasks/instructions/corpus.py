"""The documents that instances are made over: those that were tokenized, by side of the split.

The split is read from the token indices, where it was made: what a model has been pretrained on is
what instances for training may quote, and nothing else.
"""

import hashlib
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.instructions import InstancesConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.tables import read_table
from storage.tokens import SPLITS, Split
from tasks.instructions.passages import Document, Shelf, document

MIN_PASSAGES = 2  # a document must have room for so many of the longest passages


def load_shelves(
    build: Build,
    corpus: ArtifactRef,
    tokens: Mapping[str, ArtifactRef],
    config: InstancesConfig,
    seed: int,
) -> dict[Split, Shelf]:
    """A sample of the documents of every source (`tokens` are by source), by side of the split."""
    found: dict[Split, list[Document]] = {split: [] for split in SPLITS}
    least = MIN_PASSAGES * config.max_passage_chars
    for source in sorted(tokens):
        wanted: dict[str, tuple[Split, str]] = {}
        for split in SPLITS:
            clusters = _clusters(build, tokens[source], split)
            for name in sorted(clusters, key=lambda name: _place(name, seed))[
                : config.documents_per_source
            ]:
                wanted[name] = (split, clusters[name])
        for entry in build.files(corpus, ".parquet"):
            if not entry.name.startswith(f"{source}/"):
                continue
            for row in _rows(build, corpus, entry.name, wanted):
                split, cluster = wanted[row["id"]]
                one = document(row["id"], cluster, source, row["url"], row["licence"], row["text"])
                if len(one.text) >= least:
                    found[split].append(one)
    return {split: Shelf(tuple(found[split])) for split in SPLITS}


def _clusters(build: Build, tokens: ArtifactRef, split: Split) -> dict[str, str]:
    """Document id -> cluster, of one split of one source."""
    clusters: dict[str, str] = {}
    for entry in build.files(tokens, ".index.parquet"):
        if entry.name.startswith(f"{split}-"):
            table = read_table(build.path(tokens, entry.name), ["document", "cluster"])
            clusters.update(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return clusters


def _rows(
    build: Build, ref: ArtifactRef, name: str, wanted: Mapping[str, object]
) -> list[dict[str, str]]:
    """The wanted documents of one file, in order."""
    table = read_table(build.path(ref, name), ["id", "text", "url", "licence"])
    mask = pc.is_in(table.column("id"), value_set=pa.array(list(wanted), pa.string()))
    rows: list[dict[str, str]] = table.filter(mask).to_pylist()
    return rows


def _place(document: str, seed: int) -> bytes:
    """Where a document stands in the order in which the sample takes them."""
    return hashlib.blake2b(f"instances:{seed}:{document}".encode(), digest_size=8).digest()
