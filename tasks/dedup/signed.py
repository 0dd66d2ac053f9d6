"""What `sign` left of every document, file by file, and the score that it competes with."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from storage.artifact import ArtifactRef, FileEntry
from storage.build import Build
from storage.tables import read_table

REPEATED = ("source", "first_seen")  # columns of few values

Indices = npt.NDArray[np.int64]
Signatures = npt.NDArray[np.uint32]


class SignedFile(NamedTuple):
    """A file of signatures, and what was said about its documents."""

    source: str
    name: str  # of the file of quality's decisions, and of ours
    signatures: FileEntry
    decisions: FileEntry
    scores: FileEntry | None  # only where they decide who is kept

    @property
    def path(self) -> str:
        """The name of the file of ours."""
        return f"{self.source}/{self.name}"


def signed_files(
    build: Build,
    signatures: dict[str, ArtifactRef],
    decisions: dict[str, ArtifactRef],
    scores: dict[str, ArtifactRef] | None,
) -> list[SignedFile]:
    """The files of all sources, in order of the sources' names; mappings are keyed by source.

    Raises:
        ValueError: when a source has no scores, though they are asked for, or not one file of
            each kind for every file of documents.
    """
    files = []
    for source in sorted(signatures):
        if scores is not None and source not in scores:
            raise ValueError(f"{source}: no scores to keep by")
        signed, decided = build.files(signatures[source]), build.files(decisions[source])
        scored = [None] * len(signed) if scores is None else build.files(scores[source])
        if not len(signed) == len(decided) == len(scored):
            raise ValueError(
                f"{source}: {len(signed)} files of signatures, {len(decided)} of decisions and "
                f"{len(scored)} of scores do not match"
            )
        for ours, theirs, score in zip(signed, decided, scored, strict=True):
            files.append(SignedFile(source, theirs.name, ours, theirs, score))
    return files


def read_signed(
    build: Build, files: Sequence[SignedFile], rows: Mapping[str, Indices], signal: str = ""
) -> tuple[pa.Table, Signatures]:
    """Read the fingerprints of the documents at `rows` of each file, by its path.

    Returns SIGNATURE_COLUMNS with `source` and, if a `signal` is named, `score`, each in one chunk,
    and the signatures (N, num_permutations). Texts are large_string, for 67 million ids have more
    bytes than offsets of 32 bits reach; the few sources and dates are dictionaries.

    Raises:
        ValueError: when a file of scores lacks the signal, or is about other documents.
    """
    number = sum(len(own) for own in rows.values())
    entries = np.empty((0, 0), np.uint32)
    tables: list[pa.Table] = []
    start = 0
    for file in files:
        own = rows[file.path]
        if tables and not len(own):
            continue  # the first file tells the columns, even if nothing is read from it
        table = read_table(build.store.blob_path(file.signatures))
        if signal:
            table = table.append_column("score", _scores(build, file, signal))
        is_whole = len(own) == table.num_rows
        signatures = entries_of(table["signature"].combine_chunks())
        if not tables:  # once, for all files: they are most of the memory
            entries = np.empty((number, signatures.shape[1]), np.uint32)
        entries[start : start + len(own)] = signatures if is_whole else signatures[own]
        start += len(own)
        table = table.drop_columns(["signature"])
        table = table if is_whole else table.take(pa.array(own))
        table = table.append_column("source", pa.repeat(file.source, table.num_rows))
        columns = {name: _compact(table[name], name) for name in table.column_names}
        tables.append(pa.table(columns))
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks(), entries


def entries_of(column: pa.FixedSizeBinaryArray) -> Signatures:
    """The signatures of one file as an array (rows, num_permutations)."""
    width = column.type.byte_width // 4
    entries = np.frombuffer(column.buffers()[1] or b"", dtype="<u4")
    rows = entries[column.offset * width : (column.offset + len(column)) * width]
    return rows.reshape(len(column), width)


def _scores(build: Build, file: SignedFile, signal: str) -> pa.ChunkedArray:
    """A signal of the documents of one file that quality keeps."""
    assert file.scores is not None, "signed_files was not given scores"
    path = build.store.blob_path(file.scores)
    known = [field.name for field in pq.read_schema(path) if _is_number(field.type)]
    if signal not in known:
        raise ValueError(
            f"{file.source}: there is no signal {signal!r} to keep by; set dedup.keep_score to "
            f"one of {', '.join(known)}"
        )
    table = read_table(path, ["id", signal])
    decided = read_table(build.store.blob_path(file.decisions), ["id", "kept"])
    if table["id"].combine_chunks() != decided["id"].combine_chunks():
        raise ValueError(f"{file.path}: scores and decisions are about other documents")
    return pc.cast(table[signal].filter(decided["kept"]), pa.float64())


def _compact(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    if not pa.types.is_string(column.type):
        return column
    texts = column.cast(pa.large_string())
    return texts.dictionary_encode() if name in REPEATED else texts


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))
