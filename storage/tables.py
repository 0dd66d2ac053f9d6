"""The one way a table becomes a Parquet file, and the hash of its logical rows.

Two equal Arrow tables can give different Parquet bytes: chunk layout, dictionaries, pandas
metadata, compression level and pyarrow's own version all leave traces. So there is one writer that
normalises all of them, and an artifact's digest is that of the rows, which a new pyarrow leaves
alone.
"""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 20_000
ZSTD_LEVEL = 3


def write_table(
    path: Path,
    table: pa.Table,
    schema: pa.Schema | None = None,
    row_group_rows: int = ROW_GROUP_ROWS,
) -> str:
    """Writes `table`, cast to `schema`, as zstd Parquet; returns the digest of its logical rows."""
    table = normalise(table, schema)
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        row_group_size=row_group_rows,
        use_dictionary=False,
        store_schema=False,
    )
    return rows_digest(table)


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """A Parquet file written by `write_table`, or only some of its columns."""
    return pq.read_table(path, columns=columns, partitioning=None)


def normalise(table: pa.Table, schema: pa.Schema | None = None) -> pa.Table:
    """Equal rows in one form: the schema's types, one chunk, no metadata, no -0.0."""
    if schema is not None:
        table = table.select(schema.names).cast(schema)
    for index, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            column = table.column(index).cast(field.type.value_type)
            table = table.set_column(index, field.name, column)
        elif pa.types.is_floating(field.type):
            column = pc.add(table.column(index), pa.scalar(0.0, field.type))  # -0.0 + 0.0 == 0.0
            table = table.set_column(index, field.name, column)
    return table.replace_schema_metadata(None).combine_chunks()


def rows_digest(table: pa.Table) -> str:
    """The sha256 of the column names, types and values, independent of encoding and chunks."""
    table = normalise(table)
    digest = hashlib.sha256(f"{table.num_rows}".encode())
    for field, column in zip(table.schema, table.columns, strict=True):
        digest.update(f"|{field.name}:{_type_name(field.type)}".encode())
        chunk = column.combine_chunks()
        if isinstance(chunk, pa.ChunkedArray):
            chunk = chunk.chunk(0) if chunk.num_chunks else pa.array([], field.type)
        _hash_array(digest, chunk)
    return digest.hexdigest()


def _type_name(kind: pa.DataType) -> str:
    """The type without the name of list items, which Parquet changes."""
    return str(kind).replace("<element: ", "<item: ")


def _hash_array(digest: "hashlib._Hash", array: pa.Array) -> None:
    if array.null_count:
        digest.update(np.packbits(array.is_valid().to_numpy(zero_copy_only=False)).tobytes())
    kind = array.type
    if pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            _hash_array(digest, pc.struct_field(array, index))
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        digest.update(_as_bytes(pc.fill_null(pc.list_value_length(array), 0), np.int64))
        _hash_array(digest, array.flatten())
    elif pa.types.is_fixed_size_list(kind):
        _hash_array(digest, array.flatten())
    elif pa.types.is_primitive(kind) and not pa.types.is_temporal(kind):
        if array.null_count:
            array = pc.fill_null(array, False if pa.types.is_boolean(kind) else 0)
        digest.update(_as_bytes(array))
    else:  # text and binary: lengths, then all bytes
        digest.update(_as_bytes(pc.fill_null(pc.binary_length(array), 0), np.int64))
        digest.update(_text_bytes(array.drop_null().cast(pa.large_binary())))


def _text_bytes(array: pa.LargeBinaryArray) -> memoryview:
    """All values joined: one slice of the value buffer."""
    _, offsets, values = array.buffers()
    if values is None or not len(array):
        return memoryview(b"")
    bounds = np.frombuffer(offsets, dtype=np.int64)
    return memoryview(values)[bounds[array.offset] : bounds[array.offset + len(array)]]


def _as_bytes(array: pa.Array, dtype: type | None = None) -> bytes:
    values = array.to_numpy(zero_copy_only=False)
    if values.dtype == np.bool_:
        return np.packbits(values).tobytes()
    return np.ascontiguousarray(values if dtype is None else values.astype(dtype)).tobytes()
