"""Rows of JSON Lines, Parquet files and Hugging Face data sets become documents by their columns.

A row without text, or a line that is no JSON object, is counted and skipped; a column that no row
has is a mistake in the configuration and ends the step with the columns there are.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_config.sources import Columns, HuggingFaceSource
from tasks.crawl.documents import Document, primary_language

Row = Mapping[str, Any]
Drop = Callable[[str], None]

GZIP_MAGIC = b"\x1f\x8b"
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
    for setting, column in mapped_columns(columns).items():
        if first and not any(has_column(row, column) for row in first):
            names = list(dict.fromkeys(name for row in first for name in row))
            raise missing(where, setting, column, names)
    return chain(first, rows)


def missing(where: str, setting: str, column: str, names: list[str]) -> ColumnError:
    """The error for a column that is not there."""
    listed = ", ".join(names[:MAX_LISTED]) + (", …" if len(names) > MAX_LISTED else "")
    return ColumnError(
        f"{where} has no column {column!r} (columns.{setting}); it has {listed or 'none'}"
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
    for number, row in enumerate(checked(rows, columns, where)):
        count()
        document = row_document(row, columns, f"{where}#{number}")
        if document is None:
            drop("no_text")
        else:
            yield document


# ---- files


def jsonl_rows(path: Path, drop: Drop) -> Iterator[Row]:
    """The objects of a JSON Lines file, gzipped or not; other lines are dropped."""
    with path.open("rb") as file:
        is_gzip = file.read(2) == GZIP_MAGIC
        file.seek(0)
        lines: Iterable[bytes] = gzip.GzipFile(fileobj=file) if is_gzip else file
        try:
            for line in lines:
                row = parse_line(line)
                if row is not None:
                    yield row
                elif line.strip():
                    drop("broken_line")
        except (OSError, EOFError, zlib.error):  # a gzip file that ends early or is damaged
            drop("broken_file")


def parse_line(line: bytes) -> Row | None:
    """The object on a line, or None."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def parquet_rows(path: Path, columns: Columns, where: str, drop: Drop) -> Iterator[Row]:
    """The rows of a Parquet file, with the configured columns only.

    Raises:
        ColumnError: when the file lacks one of them.
    """
    try:
        yield from _parquet_rows(path, columns, where)
    except (pa.ArrowInvalid, OSError):
        drop("broken_file")


def _parquet_rows(path: Path, columns: Columns, where: str) -> Iterator[Row]:
    file = pq.ParquetFile(path)
    names = file.schema_arrow.names
    wanted = []
    for setting, column in mapped_columns(columns).items():
        top = column if column in names else column.partition(".")[0]
        if top not in names:
            raise missing(where, setting, column, names)
        wanted.append(top)
    for batch in file.iter_batches(BATCH_ROWS, columns=list(dict.fromkeys(wanted))):
        yield from batch.to_pylist()


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
