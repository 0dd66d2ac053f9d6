"""The corpus as the tokenizer reads it: files by source, texts, and their duplicate clusters."""

from collections.abc import Iterator
from pathlib import Path

from pipeline_config.tokenization import HeldoutConfig
from storage.artifact import ArtifactRef, FileEntry
from storage.build import Build
from storage.tables import read_table
from tasks.tokenization.split import HeldOut, fill_up


def corpus_files(build: Build, corpus: ArtifactRef) -> dict[str, list[FileEntry]]:
    """The files of every source of a corpus, both in order."""
    found: dict[str, list[FileEntry]] = {}
    for entry in build.files(corpus, ".parquet"):
        found.setdefault(entry.name.partition("/")[0], []).append(entry)
    return found


def clusters_of(path: Path) -> list[str]:
    """The cluster of every document of a file, in order."""
    clusters: list[str] = read_table(path, ["cluster"]).column("cluster").to_pylist()
    return clusters


def documents_of(path: Path) -> Iterator[tuple[str, str, str]]:
    """The (id, text, cluster) of every document of a file, in order."""
    table = read_table(path, ["id", "text", "cluster"])
    for batch in table.to_batches(max_chunksize=1_000):  # bounds what lives as Python objects
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def held_out_clusters(build: Build, corpus: ArtifactRef, config: HeldoutConfig) -> HeldOut:
    """The held-out clusters of the whole corpus.

    A cluster that one source holds out is held out of the others too. A large source shows within
    its first few hundred documents that it needs no filling up, so its other files stay closed.
    """
    filled_up: set[str] = set()
    for entries in corpus_files(build, corpus).values():
        paths = (build.store.blob_path(entry) for entry in entries)
        filled_up |= fill_up((c for path in paths for c in clusters_of(path)), config)
    return HeldOut(config, frozenset(filled_up))
