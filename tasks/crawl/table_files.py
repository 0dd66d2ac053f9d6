"""Rows out of JSON Lines and Parquet files, with what is damaged counted and stepped over."""

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_config.sources import Columns, JsonlSource, ParquetSource
from tasks.crawl.columns import Row, absent_columns, mapped_columns, top_column

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# One line may hold a whole book, but not use up the memory: the longest of the Pile's has 15 MB.
MAX_LINE_BYTES = 64 << 20
# What reading a table raises when it is damaged, or compressed in a way that Arrow does not know.
BROKEN_TABLE = (pa.ArrowException, OSError, UnicodeDecodeError)
BATCH_ROWS = 1_000


class Drop(Protocol):
    """Hears why so many records are left out, and where one of them is from.

    Here that is the line, from 1 as editors count, or the row, from 0; "" of a whole file.
    """

    def __call__(self, reason: str, number: int = 1, /, *, example: str = "") -> None:
        """Counts them."""


def file_rows(path: Path, source: JsonlSource | ParquetSource, drop: Drop) -> Iterator[Row]:
    """The rows of a file of either kind."""
    if isinstance(source, ParquetSource):
        return parquet_rows(path, source.columns, drop)
    return jsonl_rows(path, drop)


def jsonl_rows(path: Path, drop: Drop) -> Iterator[Row]:
    """The objects of a JSON Lines file, plain or compressed; other lines are dropped."""
    try:
        with path.open("rb") as file, _uncompressed(file) as stream:
            for number, line in _lines(stream, drop):
                row = parse_line(line)
                if row is not None:
                    yield row
                elif line.strip():
                    drop("broken_line", example=f"line {number}")
    except (OSError, EOFError, zlib.error):  # a compressed file that ends early or is damaged
        drop("broken_file")


def _uncompressed(file: io.BufferedReader) -> io.BufferedIOBase:
    magic = file.peek(4)[:4]
    if magic.startswith(GZIP_MAGIC):
        return gzip.GzipFile(fileobj=file)
    if magic == ZSTD_MAGIC:  # also of several frames
        return io.BufferedReader(pa.CompressedInputStream(file, "zstd"))
    return file


def _lines(stream: io.BufferedIOBase, drop: Drop) -> Iterator[tuple[int, bytes]]:
    """Number and content of lines that are not too long; of others, no more is ever in memory."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        if len(line) < MAX_LINE_BYTES or line.endswith(b"\n"):
            yield number, line
        else:
            drop("too_large", example=f"line {number}")
            while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
    if not number:
        drop("empty_file")


def parse_line(line: bytes) -> Row | None:
    """The object on a line, or None."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def parquet_rows(path: Path, columns: Columns, drop: Drop) -> Iterator[Row]:
    """The rows of a Parquet file, with the configured columns; all dropped if it lacks one."""
    try:
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names
        if file.metadata.num_rows == 0:
            drop("empty_file")
        if absent_columns(names, columns):
            drop("missing_column", file.metadata.num_rows)
            return
        tops = [top_column(column, names) for column in mapped_columns(columns).values()]
        start = 0
        for batch in file.iter_batches(BATCH_ROWS, columns=list(dict.fromkeys(tops))):
            yield from batch_rows(batch, start, drop)
            start += batch.num_rows
    except BROKEN_TABLE:
        drop("broken_file")


def batch_rows(batch: pa.RecordBatch, start: int, drop: Drop) -> list[Row]:
    """The rows of a batch, `start` the first one's, but for those with a value that cannot be read.

    Such are text that is not UTF-8, a date outside the calendar.
    """
    try:
        rows: list[Row] = batch.to_pylist()
    except (ValueError, OverflowError):
        if batch.num_rows == 1:
            drop("broken_row", example=f"row {start}")
            return []
        rows = []
        for number in range(batch.num_rows):
            rows += batch_rows(batch.slice(number, 1), start + number, drop)
    return rows


def parquet_columns(path: Path) -> list[str]:
    """The names of a file's columns; none if it is broken."""
    try:
        names: list[str] = pq.read_schema(path).names
    except BROKEN_TABLE:
        return []
    return names
