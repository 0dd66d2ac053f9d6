"""Rows of JSON Lines, Parquet files and Hugging Face data sets become documents by their columns.

A row without text or with a value that cannot be read, or a line that is no JSON object, is counted
and skipped, and so is a table that lacks a column that others have. A column that no file has is a
mistake in the configuration: it ends the step, with the columns there are.
"""

import json
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path

from pipeline_config.sources import Columns, HuggingFaceSource, JsonlSource, ParquetSource
from tasks.crawl.columns import (
    Row,
    absent_columns,
    lacking,
    mapped_columns,
    missing,
    value_of,
)
from tasks.crawl.documents import Document, primary_language
from tasks.crawl.inputs import InputFile
from tasks.crawl.table_files import Drop, jsonl_rows, parquet_columns

CHECKED_ROWS = 1_000  # JSON rows may leave keys out: a column is missing when none of these has it


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


def _ignore(_reason: str, _number: int = 1, /, *, example: str = "") -> None:
    """For a look ahead: what is dropped is counted when it is read."""


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
        place = f"{where}#{number}"
        try:
            document = row_document(row, columns, place)
        except RecursionError:  # a value that was just not too deep to be read
            drop("broken_row", example=place)
            continue
        if document is None:
            drop("no_text", example=place)
        else:
            yield document


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
