"""What an earlier run decided: a refresh decides only what it touches.

Documents matter to each other only within a neighbourhood (`tasks.dedup.clusters`). So of the files
that an earlier run with the same settings has read too, only the neighbourhoods that a new document
enters, or that one has left, are decided again, whoever is kept; of all others, its answer is that
of a run over everything. To see who enters where, the new documents' keys are held in memory, and
the old signatures pass by, file after file.

This is a memo and no input: a run gives the same bytes with any earlier one, and without.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.dedup import DedupConfig
from storage.build import Build
from storage.store import VanishedError
from storage.tables import read_table
from tasks.dedup.answers import Earlier
from tasks.dedup.lsh import KeySet
from tasks.dedup.signed import Indices, SignedFile, entries_of

INPUTS_NAME = "_inputs.parquet"
INPUT_SCHEMA = pa.schema(
    [
        ("path", pa.string()),  # source and file
        ("signatures", pa.string()),  # digests of what was read about its documents
        ("decisions", pa.string()),
        ("scores", pa.string()),
    ]
)
LEAST_SHARE = 0.5  # of all documents; below, the keys of the new ones take what reading less saves


def input_table(files: Sequence[SignedFile]) -> pa.Table:
    """INPUT_SCHEMA of what a run reads."""
    rows = [
        {
            "path": file.path,
            "signatures": file.signatures.digest,
            "decisions": file.decisions.digest,
            "scores": file.scores.digest if file.scores else "",
        }
        for file in files
    ]
    return pa.Table.from_pylist(rows, INPUT_SCHEMA)


def find_earlier(build: Build, files: Sequence[SignedFile]) -> Earlier | None:
    """Of the earlier runs with the same settings that are whole, the one that shares most.

    None when none shares LEAST_SHARE of the documents.
    """
    now = _identities(input_table(files))
    rows = {file.path: file.signatures.rows for file in files}
    found: list[tuple[int, Earlier]] = []
    for manifest in build.built_before("config"):
        entries = {entry.name: entry for entry in manifest.files}
        try:
            before = _identities(read_table(build.store.blob_path(entries[INPUTS_NAME])))
        except VanishedError:
            continue
        standing = frozenset(path for path, inputs in before.items() if now.get(path) == inputs)
        shared = sum(rows[path] for path in standing)
        if shared >= LEAST_SHARE * sum(rows.values()):
            gone = tuple(path for path in before if path not in standing)
            found.append((shared, Earlier(manifest.counts, entries, standing, gone)))
    best_first = sorted(found, key=lambda one: one[0], reverse=True)
    return next((earlier for _, earlier in best_first if _is_whole(build, earlier)), None)


def rows_to_decide(
    build: Build, files: Sequence[SignedFile], earlier: Earlier | None, config: DedupConfig
) -> dict[str, Indices]:
    """By path, which of a file's signed documents are to be decided on, in order."""
    if earlier is None:
        return {file.path: np.arange(file.signatures.rows) for file in files}
    fresh = [file for file in files if file.path not in earlier.standing]
    standing = [file for file in files if file.path in earlier.standing]
    newcomers = _Newcomers.read(build, fresh, config)

    names = [earlier.neighbourhoods(build, path) for path in earlier.gone]
    met: dict[str, npt.NDArray[np.bool_]] = {}
    for done, file in enumerate(standing, start=1):
        met[file.path] = newcomers.meet(build, file)
        own = earlier.neighbourhoods(build, file.path)
        names.append(own.filter(pa.array(met[file.path])))
        build.progress(done, len(standing), "files of documents decided before")
    touched = pc.unique(pa.chunked_array([c for n in names for c in n.chunks], pa.string()))
    touched = touched.filter(pc.not_equal(touched, ""))

    rows = {file.path: np.arange(file.signatures.rows) for file in fresh}
    for file in standing:
        own = earlier.neighbourhoods(build, file.path)
        is_touched = np.asarray(pc.is_in(own, touched), dtype=bool)
        rows[file.path] = np.flatnonzero(is_touched | met[file.path])
    number = {path: len(own) for path, own in rows.items()}
    build.log(
        f"documents new: {sum(number[file.path] for file in fresh):,}, decided before: "
        f"{sum(file.signatures.rows for file in standing):,}, of these again: "
        f"{sum(number[file.path] for file in standing):,}"
    )
    return rows


class _Newcomers(NamedTuple):
    """What documents that come into neighbourhoods have in common with those in them."""

    keys: KeySet
    exact_hashes: pa.Array  # documents without a shingle meet only by them

    @classmethod
    def read(cls, build: Build, files: Sequence[SignedFile], config: DedupConfig) -> "_Newcomers":
        signatures = [np.empty((0, config.signature.num_permutations), np.uint32)]
        hashes = []
        for file in files:
            columns = ["num_words", "exact_hash", "signature"]
            table = read_table(build.store.blob_path(file.signatures), columns)
            hashes += table["exact_hash"].chunks
            has_shingles = pc.greater_equal(table["num_words"], config.signature.shingle_words)
            own = table["signature"].filter(has_shingles).combine_chunks()
            signatures.append(entries_of(own))
        keys = KeySet.of(np.concatenate(signatures), config.num_bands, config.num_rows)
        return cls(keys, pa.chunked_array(hashes, pa.binary(16)).combine_chunks())

    def meet(self, build: Build, file: SignedFile) -> npt.NDArray[np.bool_]:
        """Say of each document of a file whether one of these shares a bucket with it."""
        path = build.store.blob_path(file.signatures)
        table = read_table(path, ["exact_hash", "signature"])
        same = np.asarray(pc.is_in(table["exact_hash"], self.exact_hashes), dtype=bool)
        return same | self.keys.meets(entries_of(table["signature"].combine_chunks()))


def _identities(table: pa.Table) -> dict[str, tuple[str, ...]]:
    """By path, the digests of INPUT_SCHEMA."""
    columns = (table[name].to_pylist() for name in INPUT_SCHEMA.names)
    return {path: tuple(digests) for path, *digests in zip(*columns, strict=True)}


def _is_whole(build: Build, earlier: Earlier) -> bool:
    """Whether all of its files are there; remote ones are fetched."""
    try:
        for entry in earlier.entries.values():
            build.store.blob_path(entry)
    except VanishedError:
        return False
    return True
