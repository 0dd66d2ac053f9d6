"""A capture in progress: WARC files that a killed crawl leaves readable and a new one continues.

Pages are spread over a fixed number of files by the hash of their URL, so that a page is in the
same file of every capture and of every machine's. A response and its request are appended by one
write; what a kill tears is at the end of a file, and cut off when the capture is opened again.
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
        self.offsets: dict[str, int] = {}  # of the response to each URL
        for path in sorted(folder.glob("*.warc.gz")):
            cut_torn_end(path)
            self.offsets.update(response_offsets(path))

    def path(self, url: str) -> Path:
        """The file that a URL belongs to."""
        digest = hashlib.blake2b(url.encode(), digest_size=8).digest()
        return self.folder / file_name(int.from_bytes(digest, "little") % self.num_files)

    def append(self, exchange: Exchange) -> None:
        """Keeps an answer and its request."""
        path = self.path(exchange.url)
        content = b"" if path.exists() else _warcinfo(path.name, self.info)
        before = path.stat().st_size if path.exists() else len(content)
        with path.open("ab") as file:
            file.write(content + _records(exchange))
        self.offsets[exchange.url] = before

    def read(self, url: str) -> Stored | None:
        """The answer to a URL, if it was kept."""
        offset = self.offsets.get(url)
        if offset is None:
            return None
        with self.path(url).open("rb") as file:
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


def response_offsets(path: Path) -> dict[str, int]:
    """Where the response to each URL begins; the first one counts."""
    offsets: dict[str, int] = {}
    if not path.exists():
        return offsets
    with path.open("rb") as file:
        records = ArchiveIterator(file, record_types=WarcRecordType.response, parse_http=False)
        for record in records:
            offsets.setdefault(record.headers["WARC-Target-URI"], record.stream_pos)
    return offsets


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


def _warcinfo(name: str, info: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    writer.write_record(writer.create_warcinfo_record(name, info))
    return buffer.getvalue()
