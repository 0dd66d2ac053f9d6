"""Where the records of a file of selected pages are from: a table beside the file.

So a document names the file and the byte of Common Crawl that anyone can look at, not those of our
copy.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from storage.tables import read_table, write_table
from tasks.crawl.documents import Document

ORIGINS_SUFFIX = ".origins.parquet"
ORIGIN_SCHEMA = pa.schema(
    [
        ("offset", pa.int64()),  # in the file beside this one
        ("url", pa.string()),
        ("warc_file", pa.string()),  # at Common Crawl, and where in it
        ("warc_offset", pa.int64()),
        ("warc_length", pa.int64()),
    ]
)


def save_origins(origins: Iterable[Sequence[Any]], path: Path) -> str:
    """Writes rows in the order of the schema; returns their digest."""
    rows = [dict(zip(ORIGIN_SCHEMA.names, origin, strict=True)) for origin in origins]
    return write_table(path, pa.Table.from_pylist(rows, schema=ORIGIN_SCHEMA), ORIGIN_SCHEMA)


def at_origin(documents: Iterable[Document], table: Path) -> Iterator[Document]:
    """Documents of a file of selected records, with the place of each at Common Crawl."""
    rows = read_table(table)
    columns = [rows.column(name).to_pylist() for name in ("offset", "warc_file", "warc_offset")]
    places = {offset: (name, there) for offset, name, there in zip(*columns, strict=True)}
    for document in documents:
        place = places.get(document.warc_offset)
        yield replace(document, warc_file=place[0], warc_offset=place[1]) if place else document
