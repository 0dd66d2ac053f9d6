"""Rows of JSON Lines, Parquet files and Hugging Face data sets become documents by their columns.

A row without text, or a line that is no JSON object, is counted and skipped, and so is a table that
lacks a column that others have. A column that no file has is a mistake in the configuration: it
ends the step, with the columns there are.
"""

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_config.sources import Columns, HuggingFaceSource, JsonlSource, ParquetSource
from tasks.crawl.documents import Document, primary_language
from tasks.crawl.inputs import InputFile

Row = Mapping[str, Any]


class Drop(Protocol):
    """Hears why so many records are left out."""

    def __call__(self, reason: str, number: int = 1, /) -> None:
        """Counts them."""


GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# One line may hold a whole book, but not use up the memory: the longest of the Pile's has 15 MB.
MAX_LINE_BYTES = 64 << 20
CHECKED_ROWS = 1_000  # JSON rows may leave keys out: a column is missing when none of these has it
BATCH_ROWS = 1_000
MAX_LISTED = 12


class ColumnError(ValueError):
    """The configuration names a column that the data does not have."""


def value_of(row: Row, column: str) -> Any:
    """A column's value; dots lead into nested objects, unless the name itself has them.

    >>> value_of({"meta": {"url": "http://x"}}, "meta.url"), value_of({"a.b": 1}, "a.b")
    ('http://x', 1)
    """
    if column in row:
        return row[column]
    value: Any = row
    for part in column.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def has_column(row: Row, column: str) -> bool:
    """Whether a row has a column, even an empty one."""
    parent, _, name = column.rpartition(".")
    inside = value_of(row, parent) if parent else row
    return column in row or (isinstance(inside, Mapping) and name in inside)


def mapped_columns(columns: Columns) -> dict[str, str]:
    """The configured columns by the setting that names them."""
    named = {
        key: getattr(columns, key) for key in ("text", "url", "language", "licence", "first_seen")
    }
    named |= {f"metadata.{key}": column for key, column in columns.metadata.items()}
    return {key: column for key, column in named.items() if column}


def checked(rows: Iterator[Row], columns: Columns, where: str) -> Iterator[Row]:
    """The same rows, once the first ones are seen to have the configured columns.

    Raises:
        ColumnError: when none of the first rows has one of them.
    """
    first = list(islice(rows, CHECKED_ROWS))
    names = list(dict.fromkeys(name for row in first for name in row))
    for setting, column in lacking(first, columns).items():
        raise missing(where, setting, column, names)
    return chain(first, rows)


def lacking(rows: list[Row], columns: Columns) -> dict[str, str]:
    """The configured columns that none of the rows has; none of them when there are no rows."""
    return {
        setting: column
        for setting, column in mapped_columns(columns).items()
        if rows and not any(has_column(row, column) for row in rows)
    }


def require_columns(files: list[InputFile], source: JsonlSource | ParquetSource) -> None:
    """Looks into files until each configured column was seen in one.

    Raises:
        ColumnError: when none has one of them; broken and empty files say nothing.
    """
    wanted = mapped_columns(source.columns)
    names: dict[str, None] = {}
    where: list[str] = []
    for file in files:
        there, absent = look_into(file.path, source)
        if there:
            where.append(file.name)
            names |= dict.fromkeys(there)
            wanted = {key: column for key, column in wanted.items() if key in absent}
        if not wanted:
            return
    for setting, column in wanted.items() if where else ():
        raise missing(" and ".join([where[0], *_more(where[1:])]), setting, column, list(names))


def look_into(path: Path, source: JsonlSource | ParquetSource) -> tuple[list[str], dict[str, str]]:
    """The columns of a file, by its first rows, and the configured ones that are not there."""
    if isinstance(source, ParquetSource):
        names = parquet_columns(path)
        return names, absent_columns(names, source.columns)
    rows = list(islice(jsonl_rows(path, _ignore), CHECKED_ROWS))
    return [name for row in rows for name in row], lacking(rows, source.columns)


def _more(others: list[str]) -> list[str]:
    return [f"{len(others)} more"] if others else []


def _ignore(_reason: str, _number: int = 1, /) -> None:
    """For a look ahead: what is dropped is counted when it is read."""


def missing(where: str, setting: str, column: str, names: list[str]) -> ColumnError:
    """The error for a column that is not there."""
    listed = ", ".join(names[:MAX_LISTED]) + (", …" if len(names) > MAX_LISTED else "")
    has, it_has = ("have", "they have") if where.endswith(" more") else ("has", "it has")
    return ColumnError(
        f"{where} {has} no column {column!r} (columns.{setting}); {it_has} {listed or 'none'}"
    )


def row_document(row: Row, columns: Columns, place: str) -> Document | None:
    """The document of a row, or None when it has no text; `place` is its URL if it names none."""
    text = value_of(row, columns.text)
    if not isinstance(text, str) or not text.strip():
        return None

    def said(column: str) -> str:
        value = value_of(row, column) if column else None
        if value is None or value == "":
            return ""
        return value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)

    metadata = {key: said(column) for key, column in columns.metadata.items()}
    return Document(
        text=text,
        url=said(columns.url) or place,
        first_seen=said(columns.first_seen)[:10],
        language=primary_language(said(columns.language)),
        licence=said(columns.licence),
        metadata={key: value for key, value in metadata.items() if value},
    )


def row_documents(
    rows: Iterator[Row], columns: Columns, where: str, count: Callable[[], None], drop: Drop
) -> Iterator[Document]:
    """The documents of a file's rows; `count` hears of each row, `drop` of those without text."""
    for number, row in enumerate(rows):
        count()
        document = row_document(row, columns, f"{where}#{number}")
        if document is None:
            drop("no_text")
        else:
            yield document


# ---- files


def jsonl_rows(path: Path, drop: Drop) -> Iterator[Row]:
    """The objects of a JSON Lines file, plain or compressed; other lines are dropped."""
    try:
        with path.open("rb") as file, _uncompressed(file) as stream:
            for line in _lines(stream, drop):
                row = parse_line(line)
                if row is not None:
                    yield row
                elif line.strip():
                    drop("broken_line")
    except (OSError, EOFError, zlib.error):  # a compressed file that ends early or is damaged
        drop("broken_file")


def _uncompressed(file: io.BufferedReader) -> io.BufferedIOBase:
    magic = file.peek(4)[:4]
    if magic.startswith(GZIP_MAGIC):
        return gzip.GzipFile(fileobj=file)
    if magic == ZSTD_MAGIC:  # also of several frames
        return io.BufferedReader(pa.CompressedInputStream(file, "zstd"))
    return file


def _lines(stream: io.BufferedIOBase, drop: Drop) -> Iterator[bytes]:
    """Lines that are not too long; of those that are, no more is ever in memory."""
    while line := stream.readline(MAX_LINE_BYTES):
        if len(line) < MAX_LINE_BYTES or line.endswith(b"\n"):
            yield line
            continue
        drop("too_large")
        while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
            pass


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
        if absent_columns(names, columns):
            drop("missing_column", file.metadata.num_rows)
            return
        tops = [_top(column, names) for column in mapped_columns(columns).values()]
        for batch in file.iter_batches(BATCH_ROWS, columns=list(dict.fromkeys(tops))):
            yield from batch.to_pylist()
    except (pa.ArrowInvalid, OSError):
        drop("broken_file")


def parquet_columns(path: Path) -> list[str]:
    """The names of a file's columns; none if it is broken."""
    try:
        names: list[str] = pq.read_schema(path).names
    except (pa.ArrowInvalid, OSError):
        return []
    return names


def absent_columns(names: list[str], columns: Columns) -> dict[str, str]:
    """The configured columns that are not among the names of a table's."""
    wanted = mapped_columns(columns)
    return {key: column for key, column in wanted.items() if _top(column, names) not in names}


def _top(column: str, names: list[str]) -> str:
    """The column of a table that holds a dotted one."""
    return column if column in names else column.partition(".")[0]


def dataset_rows(source: HuggingFaceSource) -> Iterator[Row]:
    """The rows of a Hugging Face data set, streamed in its own order."""
    import datasets  # heavy, and needed by this kind of source only

    local = Path(source.name).expanduser()
    data = datasets.load_dataset(
        str(local) if local.is_dir() else source.name,
        source.config or None,
        split=source.split,
        revision=None if local.is_dir() else source.revision,
        streaming=True,
    )
    yield from data
