"""Documents become tables: labelled, cleaned, counted, without repeats, sorted by id."""

import json
from collections.abc import Iterable

import pyarrow as pa

from pipeline_config.sources import Labels
from storage.documents import DOCUMENT_SCHEMA, document_id
from storage.shards import ShardOutput
from tasks.crawl.documents import Document, clean_text, label

MAX_TABLE_CHARS = 64_000_000  # bounds the memory of a shard, however large its input


class DocumentTables:
    """Collects the documents of one shard and writes them.

    A shard is one table; a very large one becomes several, each sorted by id.
    """

    def __init__(self, out: ShardOutput, source: str, labels: Labels, limit: int) -> None:
        """`limit` ends the shard after so many documents; 0 is none."""
        self.out = out
        self.source = source
        self.labels = labels
        self.limit = limit
        self.written = 0
        self.seen: set[str] = set()
        self.rows: list[dict[str, object]] = []
        self.chars = 0

    def fill(self, documents: Iterable[Document]) -> None:
        """Takes documents up to the limit, and writes what they give."""
        for document in documents:
            self.add(document)
            if self.limit and len(self.seen) >= self.limit:
                break
        self.flush()

    def add(self, document: Document) -> None:
        """Takes one document; empty and repeated ones are counted."""
        document = label(document, self.labels.licence, self.labels.url_fields)
        text = clean_text(document.text)
        if not text:
            self.out.counts.drop("empty_text", example=document.url)
            return
        url = clean_text(document.url)
        name = document_id(self.source, url, text)
        if name in self.seen:
            self.out.counts.drop("repeated", example=document.url)
            return
        self.seen.add(name)
        self.out.counts.kept += 1
        self.chars += len(text)
        self.rows.append(
            {
                "id": name,
                "text": text,
                "url": url,
                "source": self.source,
                "first_seen": clean_text(document.first_seen),
                "language": document.language,
                "warc_file": clean_text(document.warc_file),
                "warc_offset": document.warc_offset,
                "licence": clean_text(document.licence),
                "metadata": metadata_json(document.metadata),
            }
        )
        if self.chars >= MAX_TABLE_CHARS:
            self.flush()

    def flush(self) -> None:
        """Writes the documents taken so far, if any."""
        if not self.rows:
            return
        self.rows.sort(key=lambda row: str(row["id"]))
        table = pa.Table.from_pylist(self.rows, schema=DOCUMENT_SCHEMA)
        part = f"-{self.written:03d}" if self.written else ""
        self.out.add_table(f"{self.out.name}{part}.parquet", table, DOCUMENT_SCHEMA)
        self.written += 1
        self.rows, self.chars = [], 0


def metadata_json(metadata: object) -> str:
    """Metadata as JSON that equal values give equally.

    >>> metadata_json({"title": "É", "module": "json"})
    '{"module":"json","title":"É"}'
    """
    text = json.dumps(metadata, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return clean_text(text)
