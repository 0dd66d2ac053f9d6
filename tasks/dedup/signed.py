"""What `sign` left of every document, and the score that it competes with."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from storage.artifact import ArtifactRef
from storage.build import Build
from storage.tables import read_table

REPEATED = ("source", "first_seen")  # columns of few values


def read_signatures(
    build: Build, signatures: dict[str, ArtifactRef]
) -> tuple[pa.Table, npt.NDArray[np.uint32]]:
    """Read the fingerprints of all sources, in order of their names.

    Returns SIGNATURE_COLUMNS with `source`, each in one chunk, and the signatures
    (N, num_permutations). Texts are large_string, for 67 million ids have more bytes than offsets
    of 32 bits reach; the few sources and dates are dictionaries.
    """
    files = [entry for source in sorted(signatures) for entry in build.files(signatures[source])]
    entries = np.empty((0, 0), np.uint32)
    tables: list[pa.Table] = []
    start = 0
    for source in sorted(signatures):
        for path in build.paths(signatures[source]):
            table = read_table(path)
            own = _entries(table["signature"].combine_chunks())
            if not tables:  # once, for all files: they are most of the memory
                entries = np.empty((sum(entry.rows for entry in files), own.shape[1]), np.uint32)
            entries[start : start + len(own)] = own
            start += len(own)
            table = table.drop_columns(["signature"])
            table = table.append_column("source", pa.repeat(source, table.num_rows))
            columns = {name: _compact(table[name], name) for name in table.column_names}
            tables.append(pa.table(columns))
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks(), entries


def read_scores(
    build: Build,
    scores: dict[str, ArtifactRef],
    decisions: dict[str, ArtifactRef],
    signal: str,
) -> pa.ChunkedArray:
    """Read a signal of the documents that the decisions keep, in the order of `read_signatures`.

    Raises:
        ValueError: when a source has no such signal, or a file is about other documents.
    """
    chunks = []
    for source in sorted(decisions):
        if source not in scores:
            raise ValueError(f"{source}: no scores to find {signal!r} in")
        files = zip(build.paths(scores[source]), build.paths(decisions[source]), strict=True)
        for path, decision_path in files:
            schema = pq.read_schema(path)
            known = [field.name for field in schema if _is_number(field.type)]
            if signal not in known:
                raise ValueError(
                    f"{source}: there is no signal {signal!r} to keep by; set dedup.keep_score to "
                    f"one of {', '.join(known)}"
                )
            table, decided = read_table(path, ["id", signal]), read_table(decision_path)
            if table["id"].combine_chunks() != decided["id"].combine_chunks():
                raise ValueError(f"{source}: scores and decisions are about other documents")
            chunks.append(pc.cast(table[signal].filter(decided["kept"]), pa.float64()))
    return pa.chunked_array([c for chunk in chunks for c in chunk.chunks], pa.float64())


def _compact(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    if not pa.types.is_string(column.type):
        return column
    texts = column.cast(pa.large_string())
    return texts.dictionary_encode() if name in REPEATED else texts


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _entries(column: pa.FixedSizeBinaryArray) -> npt.NDArray[np.uint32]:
    """The signatures of one file as an array (rows, num_permutations)."""
    width = column.type.byte_width // 4
    entries = np.frombuffer(column.buffers()[1] or b"", dtype="<u4")
    rows = entries[column.offset * width : (column.offset + len(column)) * width]
    return rows.reshape(len(column), width)
