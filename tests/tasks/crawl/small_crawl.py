"""A small Common Crawl with both of its indexes, written for tests from what is published."""

import base64
import gzip
import hashlib
import io
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from tests.tasks.crawl.mirror import Mirror, listing
from tests.tasks.crawl.sites import Record, page, warc_bytes

CRAWL, NEXT_CRAWL = "CC-MAIN-2024-10", "CC-MAIN-2024-18"
LINES_PER_BLOCK = 3
ROWS_PER_GROUP = 4


@dataclass(frozen=True)
class Captured:
    """A page of the crawl, as both indexes list it."""

    url: str
    status: int = 200
    mime_type: str = "text/html"
    languages: str | None = "eng"
    truncated: str | None = None
    subset: str = "warc"

    @property
    def body(self) -> bytes:
        return page(self.url).encode()

    @property
    def digest(self) -> str:
        return base64.b32encode(hashlib.sha1(self.body).digest()).decode()

    @property
    def key(self) -> str:
        parts = urlsplit(self.url)
        host = (parts.hostname or "").removeprefix("www.")
        port = f":{parts.port}" if parts.port else ""
        return ",".join(reversed(host.split("."))) + f"{port}){parts.path.lower() or '/'}"


PAGES = [
    Captured("https://docs.python.org/3/"),
    Captured("https://docs.python.org/3/library/json.html"),
    Captured("https://docs.python.org/fr/3/", languages="fra,eng"),
    Captured("https://docs.python.org/3.pdf", mime_type="application/pdf", languages=None),
    Captured("https://docs.python.org/gone", status=404, subset="crawldiagnostics"),
    Captured("https://docs.python.org/robots.txt", subset="robotstxt"),
    Captured("https://www.python.org/"),
    Captured("https://www.python.org/long", truncated="length"),
    Captured("http://python.org:8080/port"),
    Captured("https://python.org/about"),
    Captured("https://python-packages.org/"),  # sorts between python.org's pages and its hosts
    Captured("https://notpython.org/"),
    Captured("https://pythonic.org/"),
    Captured("https://example.is/", languages="isl"),
    Captured("https://frettir.is/", languages="isl,eng"),
    Captured("https://a.com/"),
    Captured("https://zzz.org/"),
]


def add_crawl(
    mirror: Mirror, pages: list[Captured], crawl: str = CRAWL, num_files: int = 3
) -> None:
    """Adds the crawl's WARC files, its CDX index and its columnar index."""
    rows = []
    for number in range(num_files):
        for subset in ("warc", "crawldiagnostics", "robotstxt"):
            path = f"crawl-data/{crawl}/segments/{number}/{subset}/CC-{number}.warc.gz"
            content = b""
            for captured in pages[number::num_files]:
                if captured.subset == subset:
                    record = warc_bytes(
                        [Record(captured.url, captured.body, f"{captured.status} It is so")]
                    )
                    rows.append((captured, path, len(content), len(record)))
                    content += record
            mirror.files[path] = content
    rows.sort(key=lambda row: row[0].key)
    _add_cdx(mirror, rows, f"cc-index/collections/{crawl}/indexes")
    _add_table(mirror, rows, crawl)


def _add_cdx(mirror: Mirror, rows: list[tuple[Captured, str, int, int]], folder: str) -> None:
    clusters, files = [], {"cdx-00000.gz": b"", "cdx-00001.gz": b""}
    for number, start in enumerate(range(0, len(rows), LINES_PER_BLOCK)):
        lines = [_cdx_line(*row) for row in rows[start : start + LINES_PER_BLOCK]]
        block = gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)
        name = min(files) if start < len(rows) // 2 else max(files)
        first = lines[0].split(" {")[0]
        clusters.append(f"{first}\t{name}\t{len(files[name])}\t{len(block)}\t{number}\n")
        files[name] += block
    mirror.files |= {f"{folder}/{name}": content for name, content in files.items()}
    mirror.files[f"{folder}/cluster.idx"] = "".join(clusters).encode()


def _cdx_line(captured: Captured, path: str, offset: int, length: int) -> str:
    said = {
        "url": captured.url,
        "mime": "text/html",
        "mime-detected": captured.mime_type,
        "status": str(captured.status),
        "digest": captured.digest,
        "length": str(length),
        "offset": str(offset),
        "filename": path,
    }
    if captured.languages:
        said["languages"] = captured.languages
    if captured.truncated:
        said["truncated"] = captured.truncated
    return f"{captured.key} 20240305060708 {json.dumps(said)}"


def _add_table(
    mirror: Mirror, rows: list[tuple[Captured, str, int, int]], crawl: str, num_parts: int = 2
) -> None:
    paths = []
    for subset in ("warc", "crawldiagnostics", "robotstxt"):
        chosen = [row for row in rows if row[0].subset == subset]
        for part in range(num_parts):
            start, end = (len(chosen) * n // num_parts for n in (part, part + 1))
            folder = f"cc-index/table/cc-main/warc/crawl={crawl}/subset={subset}"
            path = f"{folder}/part-{part:05d}-x.c000.gz.parquet"
            buffer = io.BytesIO()
            table = _table(chosen[start:end])
            pq.write_table(table, buffer, compression="gzip", row_group_size=ROWS_PER_GROUP)
            mirror.files[path] = buffer.getvalue()
            paths.append(path)
    mirror.files[f"crawl-data/{crawl}/cc-index-table.paths.gz"] = listing(paths)


def _table(rows: list[tuple[Captured, str, int, int]]) -> pa.Table:
    columns = {
        "url_surtkey": (pa.string(), [row[0].key for row in rows]),
        "url": (pa.string(), [row[0].url for row in rows]),
        "url_host_name": (pa.string(), [urlsplit(row[0].url).hostname for row in rows]),
        "fetch_status": (pa.int16(), [row[0].status for row in rows]),
        "content_digest": (pa.string(), [row[0].digest for row in rows]),
        "content_mime_type": (pa.string(), ["text/html" for _ in rows]),
        "content_mime_detected": (pa.string(), [row[0].mime_type for row in rows]),
        "content_languages": (pa.string(), [row[0].languages for row in rows]),
        "content_truncated": (pa.string(), [row[0].truncated for row in rows]),
        "warc_filename": (pa.string(), [row[1] for row in rows]),
        "warc_record_offset": (pa.int32(), [row[2] for row in rows]),
        "warc_record_length": (pa.int32(), [row[3] for row in rows]),
    }
    return pa.table({name: pa.array(values, kind) for name, (kind, values) in columns.items()})
