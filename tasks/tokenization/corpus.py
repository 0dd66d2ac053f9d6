"""The documents that reach the tokenizer: those that were kept, with their duplicate clusters."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pipeline_config.tokenization import HeldoutConfig
from storage.artifact import ArtifactRef, FileEntry
from storage.build import Build
from storage.documents import kept_rows
from storage.tables import read_table
from tasks.tokenization.split import HeldOut, fill_up


@dataclass(frozen=True, slots=True)
class DocumentShard:
    """One file of documents, and the file of decisions that is row-aligned with it."""

    documents: FileEntry
    decisions: FileEntry

    @property
    def name(self) -> str:
        """The shard's name: `00007` for `00007.parquet`."""
        return self.documents.name.removesuffix(".parquet")

    def paths(self, build: Build) -> tuple[Path, Path]:
        """Both files, here."""
        return build.store.blob_path(self.documents), build.store.blob_path(self.decisions)


def document_shards(
    build: Build, documents: ArtifactRef, decisions: ArtifactRef, source: str
) -> list[DocumentShard]:
    """The shards of a source, in order; `decisions` holds `<source>/<name>` for each of them.

    Raises:
        ValueError: when the decisions are about other files.
    """
    decided = {entry.name: entry for entry in build.files(decisions)}
    shards = []
    for entry in build.files(documents, ".parquet"):
        found = decided.get(f"{source}/{entry.name}")
        if found is None:
            raise ValueError(
                f"no decisions on {source}/{entry.name} among the {len(decided)} files of "
                f"{decisions.step}; were these documents given to it as source {source!r}?"
            )
        shards.append(DocumentShard(entry, found))
    return shards


def kept_clusters(decisions: Path) -> list[str]:
    """The cluster of every kept document of a file of decisions, in order."""
    table = read_table(decisions, ["kept", "cluster"])
    clusters: list[str] = table.filter(table.column("kept")).column("cluster").to_pylist()
    return clusters


def kept_documents(documents: Path, decisions: Path) -> Iterator[tuple[str, str, str]]:
    """The (id, text, cluster) of every kept document, in order."""
    table = kept_rows(documents, decisions, columns=["id", "text"])
    clusters = iter(kept_clusters(decisions))
    for batch in table.to_batches(max_chunksize=1_000):  # bounds what lives as Python objects
        ids, texts = (column.to_pylist() for column in batch.columns)
        yield from zip(ids, texts, clusters, strict=False)


def held_out_clusters(build: Build, decisions: ArtifactRef, config: HeldoutConfig) -> HeldOut:
    """The held-out clusters of the whole corpus, from the decisions on all its sources.

    A cluster that one source holds out is held out of the others too. A large source shows within
    its first few hundred documents that it needs no filling up, so its other files stay closed.
    """
    filled_up: set[str] = set()
    entries = sorted(build.files(decisions, ".parquet"), key=lambda entry: entry.name)
    for source, files in groupby(entries, key=lambda entry: entry.name.rpartition("/")[0]):
        if source:  # a file at the top level, such as clusters.parquet, is about no single source
            paths = (build.path(decisions, entry.name) for entry in files)
            filled_up |= fill_up((c for path in paths for c in kept_clusters(path)), config)
    return HeldOut(config, frozenset(filled_up))
