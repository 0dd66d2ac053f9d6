"""A capture in progress: WARC files that a killed crawl leaves readable and a new one continues.

Pages are spread over a fixed number of files by the hash of their URL, so that a page is in the
same file of every capture and of every machine's; what is asked for beside pages (robots.txt,
sitemaps) has a file of its own. A response and its request are appended by one write; what a kill
tears is at the end of a file, and cut off when the capture is opened again.
"""

import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastwarc import ArchiveIterator, WarcRecordType
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

Headers = list[tuple[str, str]]
BLOCK_BYTES = 1 << 16
ASIDE_NAME = "aside.warc.gz"
VISITS_NAME = "visits.warc.gz"  # of a finished capture: what was asked for and is no page


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, as they went over the wire; chunks are joined."""

    url: str
    request_headers: Headers
    status_line: str  # such as "HTTP/1.1 200 OK"
    headers: Headers
    body: bytes
    ip_address: str = ""
    truncated: str = ""  # why the body is not whole: "length", "unspecified", or ""


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer read back."""

    status: int
    headers: Headers
    body: bytes
    truncated: str

    def header(self, name: str) -> str:
        """The first value of a header, "" without one."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def file_name(index: int) -> str:
    """The name of one file of a capture."""
    return f"{index:05d}.warc.gz"


class CaptureFolder:
    """The WARC files of one capture."""

    def __init__(self, folder: Path, num_files: int, info: dict[str, str]) -> None:
        """Opens a folder, cuts torn ends off, and finds what it holds.

        Args:
            folder: where the files are; it exists.
            num_files: how many files the URLs are spread over.
            info: who captures and how, for the first record of each file.
        """
        self.folder = folder
        self.num_files = num_files
        self.info = info
        self.spans: dict[str, Span] = {}  # of the answer to each URL
        for path in sorted(folder.glob("*.warc.gz")):
            cut_torn_end(path)
            if path.exists():
                self.spans.update({span.url: span for span in exchange_spans(path)})

    @property
    def num_pages(self) -> int:
        """How many URLs have an answer that may be a page."""
        return sum(span.path.name != ASIDE_NAME for span in self.spans.values())

    def path(self, url: str, aside: bool = False) -> Path:
        """The file that a URL belongs to."""
        return self.folder / (ASIDE_NAME if aside else file_name(bucket_of(url, self.num_files)))

    def append(self, exchange: Exchange, aside: bool = False) -> None:
        """Keeps an answer and its request."""
        path = self.path(exchange.url, aside)
        content = b"" if path.exists() else warcinfo(path.name, self.info)
        start = path.stat().st_size if path.exists() else len(content)
        records = _records(exchange)
        with path.open("ab") as file:
            file.write(content + records)
        self.spans[exchange.url] = Span(exchange.url, path, start, start + len(records))

    def read(self, url: str) -> Stored | None:
        """The answer to a URL, if it was kept."""
        span = self.spans.get(url)
        return None if span is None else read_answer(span.path, span.start)


@dataclass(frozen=True, slots=True)
class Span:
    """Where an answer and its request lie."""

    url: str
    path: Path
    start: int
    end: int


def bucket_of(url: str, num_files: int) -> int:
    """The number of the file that a URL belongs to."""
    digest = hashlib.blake2b(url.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") % num_files


def read_answer(path: Path, offset: int) -> Stored:
    """The answer whose record begins at an offset."""
    with path.open("rb") as file:
        file.seek(offset)
        record = next(iter(ArchiveIterator(file, parse_http=True)))
        return Stored(
            record.http_headers.status_code or 0,
            [(name, value) for name, value in record.http_headers.items()],
            record.reader.read(),
            record.headers.get("WARC-Truncated") or "",
        )


def cut_torn_end(path: Path) -> None:
    """Shortens a file to its last complete gzip member."""
    end = max(_member_ends(path), default=0)
    if end < path.stat().st_size:
        with path.open("r+b") as file:
            file.truncate(end)
    if end == 0:
        path.unlink()


def _member_ends(path: Path) -> Iterator[int]:
    """The offset behind each complete gzip member, in order."""
    with path.open("rb") as file:
        stream = zlib.decompressobj(31)
        position = 0  # behind what `stream` and those before it took
        while block := file.read(BLOCK_BYTES):
            while block:
                try:
                    stream.decompress(block)
                except zlib.error:
                    return
                position += len(block) - len(stream.unused_data)
                block = stream.unused_data
                if stream.eof:
                    yield position
                    stream = zlib.decompressobj(31)


def exchange_spans(path: Path) -> list[Span]:
    """Where each answer begins and its request ends, in order; the first answer to a URL counts."""
    found: dict[str, Span] = {}
    with path.open("rb") as file:
        starts = [
            (record.stream_pos, record.record_type, record.headers.get("WARC-Target-URI") or "")
            for record in ArchiveIterator(file, parse_http=False)
        ]
    end = path.stat().st_size
    for start, kind, url in reversed(starts):
        if kind == WarcRecordType.response:
            found[url] = Span(url, path, start, end)
        if kind != WarcRecordType.request:
            end = start
    return list(reversed(found.values()))


def _records(exchange: Exchange) -> bytes:
    """The gzipped response and request records."""
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    extra = {"WARC-Truncated": exchange.truncated, "WARC-IP-Address": exchange.ip_address}
    protocol, _, status = exchange.status_line.partition(" ")
    response = writer.create_warc_record(
        exchange.url,
        "response",
        payload=io.BytesIO(exchange.body),
        length=len(exchange.body),
        http_headers=StatusAndHeaders(status, exchange.headers, protocol=protocol),
        warc_headers_dict={name: value for name, value in extra.items() if value},
    )
    path = "/" + exchange.url.split("://", 1)[1].partition("/")[2]
    request = writer.create_warc_record(
        exchange.url,
        "request",
        payload=io.BytesIO(),
        length=0,
        http_headers=StatusAndHeaders(
            f"GET {path} {protocol}", exchange.request_headers, is_http_request=True
        ),
    )
    writer.write_request_response_pair(request, response)
    return buffer.getvalue()


def warcinfo(name: str, info: dict[str, str]) -> bytes:
    """The record that begins a file."""
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    writer.write_record(writer.create_warcinfo_record(name, info))
    return buffer.getvalue()
