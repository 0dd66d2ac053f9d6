"""What an earlier run decided: a refresh decides only what it touches.

Documents matter to each other only within a neighbourhood (`tasks.dedup.clusters`). So of the files
that an earlier run with the same settings has read too, only the neighbourhoods that a new document
enters, or that one has left, are decided again, whoever is kept; of all others, its answer is that
of a run over everything. To see who enters where, the new documents' keys are held in memory, and
the old signatures pass by, file after file.

This is a memo and no input: a run gives the same bytes with any earlier one, and without.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.dedup import DedupConfig
from storage.build import Build
from storage.tables import read_table
from tasks.dedup.answers import Earlier
from tasks.dedup.lsh import KeySet, band_keys
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
    """Find the intact earlier run with the same settings that shares most documents.

    None when none shares LEAST_SHARE of them.
    """
    rows = {file.path: file.signatures.rows for file in files}
    now = input_table(files)
    found: list[tuple[int, Earlier]] = []
    for manifest in build.built_before("config"):
        entries = {entry.name: entry for entry in manifest.files}
        if not build.store.is_intact(entries[INPUTS_NAME]):
            continue
        before = read_table(build.store.blob_path(entries[INPUTS_NAME]))
        standing = _same_files(now, before)
        shared = sum(rows[path] for path in standing)
        if shared >= LEAST_SHARE * sum(rows.values()):
            gone = set(before["path"].to_pylist()).difference(standing.values())
            found.append((shared, Earlier(manifest.counts, entries, standing, sorted(gone))))
    for _, earlier in sorted(found, key=lambda one: one[0], reverse=True):
        if all(build.store.is_intact(entry) for entry in earlier.entries.values()):
            return earlier
    return None


def rows_to_decide(
    build: Build, files: Sequence[SignedFile], earlier: Earlier | None, config: DedupConfig
) -> dict[str, Indices]:
    """By path, which of a file's signed documents are to be decided on, in order."""
    if earlier is None:
        return {file.path: np.arange(file.signatures.rows) for file in files}
    fresh = [file for file in files if file.path not in earlier.standing]
    standing = [file for file in files if file.path in earlier.standing]
    newcomers = _Newcomers(build, fresh, config)

    # Some 12 bytes a document: most are alone, and have no name.
    names = [earlier.neighbourhoods(build, earlier.standing[file.path]) for file in standing]
    left = [earlier.neighbourhoods(build, path) for path in earlier.gone]
    met: list[npt.NDArray[np.bool_]] = []
    for done, file in enumerate(standing, start=1):
        met.append(newcomers.meet(build, file))
        build.progress(done, len(standing), "files of documents decided before")
    entered = [own.filter(pa.array(mask)) for own, mask in zip(names, met, strict=True)]
    touched = pc.unique(_joined([*left, *entered]))
    touched = touched.filter(pc.not_equal(touched, ""))
    again = pc.is_in(_joined(names), touched).to_numpy() | np.concatenate([[], *met]).astype(bool)

    rows = {file.path: np.arange(file.signatures.rows) for file in fresh}
    ends = np.cumsum([len(mask) for mask in met])
    for file, own in zip(standing, np.split(again, ends[:-1]), strict=True):
        rows[file.path] = np.flatnonzero(own)
    number = {path: len(own) for path, own in rows.items()}
    build.log(
        f"documents new: {sum(number[file.path] for file in fresh):,}, decided before: "
        f"{sum(file.signatures.rows for file in standing):,}, of these again: "
        f"{sum(number[file.path] for file in standing):,}"
    )
    return rows


class _Newcomers:
    """What documents that come into neighbourhoods have in common with those in them."""

    def __init__(self, build: Build, files: Sequence[SignedFile], config: DedupConfig) -> None:
        self._bands = config.num_bands, config.num_rows
        self._shingle_words = config.signature.shingle_words
        number = sum(file.signatures.rows for file in files)
        self._keys = KeySet((config.num_bands + 1) * number)
        for file in files:
            for keys in self._keys_of(build, file):
                self._keys.add(keys)

    def meet(self, build: Build, file: SignedFile) -> npt.NDArray[np.bool_]:
        """Say of each document of a file whether one of these shares a bucket with it."""
        found = np.zeros(file.signatures.rows, np.bool_)
        for keys in self._keys_of(build, file):
            found |= self._keys.has(keys)
        return found

    def _keys_of(self, build: Build, file: SignedFile) -> Iterator[npt.NDArray[np.uint64]]:
        """The keys (any, rows) of a file's documents: half of the exact hash, and the bands.

        Those without a shingle meet by the first alone; the others have it too only if they have
        all bands in common.
        """
        columns = ["num_words", "exact_hash", "signature"]
        table = read_table(build.store.blob_path(file.signatures), columns)
        hashes = entries_of(table["exact_hash"].combine_chunks())
        exact = hashes[:, :2].copy().view(np.uint64).T
        yield exact
        has_shingles = table["num_words"].to_numpy() >= self._shingle_words
        signatures = entries_of(table["signature"].combine_chunks())
        for keys in band_keys(signatures, *self._bands):
            yield keys if has_shingles.all() else np.where(has_shingles, keys, exact)


def _same_files(now: pa.Table, before: pa.Table) -> dict[str, str]:
    """By path, the path that the same file of the same source had before, in the same order.

    Order is what says which of two documents with one id, hence one text, is kept. (difflib's
    SequenceMatcher takes 18 s for 30,000 files of which every tenth changed.)
    """
    known: dict[tuple[str, ...], list[int]] = {}
    for row, identity in enumerate(_identities(before)):
        known.setdefault(identity, []).append(row)
    found = [
        (row, known[identity].pop(0))
        for row, identity in enumerate(_identities(now))
        if known.get(identity)
    ]
    paths, paths_then = now["path"].to_pylist(), before["path"].to_pylist()
    in_order = _rising([row_then for _, row_then in found])
    return {paths[row]: paths_then[row_then] for row, row_then in (found[at] for at in in_order)}


def _rising(numbers: Sequence[int]) -> list[int]:
    """The places of as many of these different numbers as rise (patience sorting).

    >>> _rising([3, 0, 1, 4, 2])
    [1, 2, 4]
    """
    ends: list[int] = []  # the smallest end of a rising part by its length
    places: list[int] = []  # where that stands
    before: list[int] = []  # by place, the one that it goes on from
    for place, number in enumerate(numbers):
        length = bisect_left(ends, number)
        before.append(places[length - 1] if length else -1)
        ends[length : length + 1] = [number]
        places[length : length + 1] = [place]
    chosen = places[-1:]
    while chosen and before[chosen[-1]] >= 0:
        chosen.append(before[chosen[-1]])
    return chosen[::-1]


def _identities(table: pa.Table) -> list[tuple[str, ...]]:
    """Of each row of INPUT_SCHEMA its source and the digests."""
    columns = (table[name].to_pylist() for name in INPUT_SCHEMA.names)
    return [(path.split("/")[0], *digests) for path, *digests in zip(*columns, strict=True)]


def _joined(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    return pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string())
