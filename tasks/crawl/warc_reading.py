"""Pages out of WARC and WET files, with damage counted and stepped over.

fastwarc finds the records; transfer and content encodings are undone here, because its own decoding
loses the records after a chunked one (2.0.1) and knows no limit. After damage reading goes on at
the next place where a record can begin; so a file that was gzipped as a whole is unpacked first,
up to a limit. Bodies are never read beyond a limit either, whatever their headers declare and
however small they were compressed.
"""

import contextlib
import os
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from fastwarc import ArchiveIterator, WarcRecord, WarcRecordType

from tasks.crawl.documents import primary_language
from tasks.crawl.http_body import EncodingError, dechunk, decode
from tasks.crawl.warc_checks import goes_on

Drop = Callable[[str, str, int], None]  # reason; URL or ""; byte it lies at or behind, or -1

GZIP_MEMBER = b"\x1f\x8b\x08"
ZSTD_FRAME = b"\x28\xb5\x2f\xfd"
PLAIN_RECORD = b"WARC/1."
NEXT_RECORD = b"\r\n\r\n" + PLAIN_RECORD
SEARCH_BYTES = 1 << 20
UNPACK_BYTES = 1 << 16  # at once: of this size a bomb unpacks to 64 MB
FIRST_MEMBER_BYTES = 64 << 20  # of which is looked whether it holds more than one record
MAX_UNPACKED_BYTES = 16 << 30  # of a file gzipped as a whole; the usual 1 GB unpacks to 5 GB
# Where reading began again; 1 GB of nothing but beginnings would take a day, these half a minute.
MAX_BEGINNINGS = 100_000
# How many times its compressed bytes a record can have: zlib's bound, and what zstd never reaches.
MAX_RATIOS = {PLAIN_RECORD: 1, GZIP_MEMBER: 1_032, ZSTD_FRAME: 1_000_000}
HTML_TYPES = ("text/html", "application/xhtml+xml")
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class UnusableRecordError(ValueError):
    """A record holds no page; the message is the reason that it is counted under."""


class DamagedError(ValueError):
    """A record does not hold what its headers say; reading goes on at the next beginning."""


@dataclass(frozen=True, slots=True)
class CapturedPage:
    """One successful response with its body as the server meant it, or the text of a WET record."""

    url: str
    body: bytes
    content_type: str  # the header, with its parameters
    date: str  # ISO date of the capture
    offset: int  # of its record in the file, -1 in a file that was compressed as a whole
    is_text: bool = False  # a WET record: the text was extracted before
    language: str = ""  # of a WET record


def read_pages(path: Path, max_bytes: int, drop: Drop) -> Iterator[CapturedPage]:
    """The usable pages of a file, in order; `drop` hears of each other record.

    `max_bytes` bounds a body, both as it was sent and as it was meant. Requests, metadata and the
    like are passed over. A stretch of damage is dropped once, as `broken_record`; what is behind
    `MAX_UNPACKED_BYTES`, once as `too_large`.
    """
    with path.open("rb") as file:
        if not _is_one_member(file):
            yield from Reader(file, max_bytes, drop).pages()
            return
        with tempfile.TemporaryFile() as unpacked:
            fault = _unpack(file, unpacked)
            unpacked.flush()
            reader = Reader(
                unpacked,
                max_bytes,
                lambda reason, url, _: drop(reason, url, -1),
                fault or "broken_record",
            )
            yield from (replace(page, offset=-1) for page in reader.pages())
            if fault and not reader.is_damaged:
                drop(fault, "", -1)


class Reader:
    """Reads a file of records that stand, or are compressed, each by itself."""

    def __init__(
        self,
        file: BinaryIO,
        max_bytes: int,
        drop: Drop,
        torn: str = "broken_record",
    ) -> None:
        """Of a `file` that is open for reading, and can be searched.

        A last record that is not whole is dropped as `torn`.
        """
        self.file = file
        self.max_bytes = max_bytes
        self.drop = drop
        self.torn = torn
        self.size = os.stat(file.fileno()).st_size
        self.position = -1  # of the record that reading has come to
        self.dropped_at = -1  # where the last dropped record begins
        self.is_damaged = False  # there, as far as is known
        self.marker = _marker(file)

    def pages(self) -> Iterator[CapturedPage]:
        """The pages, in order; none behind damage once `MAX_BEGINNINGS` were tried."""
        if self.size == 0:
            self.drop("empty_file", "", -1)
            return
        start = 0
        for _ in range(MAX_BEGINNINGS):
            self.position = -1
            with contextlib.suppress(OSError, DamagedError):
                yield from self._pages_from(start)
                if self.position >= 0:
                    return
            reached = max(self.position, start)
            found = _find(self.file, self.marker, reached + 1)
            if not self.is_damaged:
                self.drop(self.torn if found is None else "broken_record", "", reached)
            self.is_damaged = True
            if found is None:
                return
            start = found

    def _pages_from(self, start: int) -> Iterator[CapturedPage]:
        """The pages up to the end or the next damage."""
        page = None
        self.file.seek(start)
        try:
            for record in ArchiveIterator(self.file, parse_http=False):
                if page is not None:
                    yield page
                page = None
                self.position = record.stream_pos
                page = self._page(record)
                self.is_damaged = False
        except OSError:  # what comes next is no record; perhaps the last one is shorter or longer
            is_cut = self.position >= 0 and goes_on(self.file, self.position)
            if page is not None and not is_cut and NEXT_RECORD not in page.body:
                yield page
            self.is_damaged |= is_cut and self.dropped_at == self.position
            raise
        if page is not None:
            yield page

    def _begins_at(self, offset: int) -> bool:
        return os.pread(self.file.fileno(), len(self.marker), offset) == self.marker

    def _page(self, record: WarcRecord) -> CapturedPage | None:
        """The page of a record, or None, and then its reason was dropped if it should be a page.

        Raises:
            DamagedError: when the record does not hold what its headers say.
        """
        page = None
        try:
            if record.record_type == WarcRecordType.response:
                page = _response(record, self.max_bytes)
            elif record.record_type == WarcRecordType.conversion:
                page = _wet_text(record, self.max_bytes)
        except UnusableRecordError as error:
            url = record.headers.get("WARC-Target-URI") or ""
            self.drop(str(error), url, record.stream_pos)
            self.dropped_at = record.stream_pos
            self.is_damaged = True  # if it is, it is counted already
        if page is not None:
            return page if self._begins_at(page.offset) else replace(page, offset=-1)
        if record.record_type == WarcRecordType.unknown and record.headers.is_empty():
            raise DamagedError("the file ends within a record's headers")
        self._skip(record)
        return None

    def _skip(self, record: WarcRecord) -> None:
        """Makes sure that what is passed over is there, and not the records behind it.

        Raises:
            DamagedError: when the file ends first.
        """
        ratio = MAX_RATIOS[self.marker]
        is_there = record.content_length <= (self.size - record.stream_pos) * ratio
        if is_there:  # and if not, that is known without reading all that is there
            record.reader.consume()
            is_there = record.reader.tell() == record.content_length
        if not is_there:
            raise DamagedError("the file ends within a record")


# ---- files


def _marker(file: BinaryIO) -> bytes:
    """What records begin with, also where the first one is damaged."""
    file.seek(0)
    begin = file.read(SEARCH_BYTES)
    markers = (PLAIN_RECORD, GZIP_MEMBER, ZSTD_FRAME)  # in noise the later ones are likelier
    for marker in markers:
        if begin.startswith(marker):
            return marker
    return next((marker for marker in markers if marker in begin), PLAIN_RECORD)


def _is_one_member(file: BinaryIO) -> bool:
    """Whether the first gzip member holds more than one record: a file compressed as a whole."""
    inflate, window, seen = zlib.decompressobj(31), b"", 0
    file.seek(0)
    while not inflate.eof and seen < FIRST_MEMBER_BYTES and (block := file.read(UNPACK_BYTES)):
        try:
            window = window[-len(NEXT_RECORD) :] + inflate.decompress(block)
        except zlib.error:
            return False
        if NEXT_RECORD in window:
            return True
        seen += len(window)
    return False


def _unpack(file: BinaryIO, unpacked: BinaryIO) -> str:
    """Writes what a gzip file holds, up to damage or the limit; says which, or ""."""
    inflate = zlib.decompressobj(31)
    left = MAX_UNPACKED_BYTES
    file.seek(0)
    while block := file.read(UNPACK_BYTES):
        while block:
            if inflate.eof:
                inflate = zlib.decompressobj(31)
            try:
                content = inflate.decompress(block)
            except zlib.error:
                return "broken_record"
            unpacked.write(content[:left])
            if len(content) > left:
                return "too_large"
            left -= len(content)
            block = inflate.unused_data
    return "" if inflate.eof else "broken_record"


# ---- records


def _find(file: BinaryIO, marker: bytes, start: int) -> int | None:
    """Where `marker` comes next, or None."""
    file.seek(start)
    window = b""
    while block := file.read(SEARCH_BYTES):
        window += block
        found = window.find(marker)
        if found >= 0:
            return start + found
        start += len(window) - len(marker) + 1
        window = window[1 - len(marker) :]
    return None


def _target(record: WarcRecord) -> str:
    url = (record.headers.get("WARC-Target-URI") or "").strip("<> ")
    if not url:
        raise UnusableRecordError("no_url")
    try:
        urlsplit(url)
    except ValueError:  # such as http://[oops/, which no later step could split either
        raise UnusableRecordError("bad_url") from None
    return url


def _date(record: WarcRecord) -> str:
    found = ISO_DATE.match(record.headers.get("WARC-Date") or "")
    return found[0] if found else ""


def _body(record: WarcRecord, max_bytes: int) -> bytes:
    declared = record.content_length
    if declared > max_bytes:
        raise UnusableRecordError("too_large")
    try:
        body: bytes = record.reader.read(max_bytes + 1)
    except OSError:
        body = b""
    if len(body) < declared:
        raise DamagedError(f"{len(body)} of {declared} bytes are there")
    return body


def _wet_text(record: WarcRecord, max_bytes: int) -> CapturedPage:
    languages = record.headers.get("WARC-Identified-Content-Language") or ""
    return CapturedPage(
        url=_target(record),
        body=_body(record, max_bytes),
        content_type="text/plain; charset=utf-8",
        date=_date(record),
        offset=record.stream_pos,
        is_text=True,
        language=primary_language(languages.split(",")[0]),
    )


def _response(record: WarcRecord, max_bytes: int) -> CapturedPage:
    """A page, when the response is one: found, whole, and HTML."""
    url = _target(record)
    record.is_http = True  # also where the record's own media type is missing
    record.parse_http(auto_decode="none", quirks_mode=True)
    headers = record.http_headers
    status = None if headers is None else headers.status_code
    if status is None:
        raise DamagedError("no HTTP response")
    if status != 200:
        raise UnusableRecordError(f"status_{status}")
    if urlsplit(url).path == "/robots.txt":
        raise UnusableRecordError("robots_txt")
    content_type = headers.get("Content-Type") or ""
    if content_type and content_type.partition(";")[0].strip().lower() not in HTML_TYPES:
        raise UnusableRecordError("not_html")
    if record.headers.get("WARC-Truncated"):
        raise UnusableRecordError("truncated")
    body = _body(record, max_bytes)
    if "chunked" in (headers.get("Transfer-Encoding") or "").lower():
        body = dechunk(body)
    try:
        body = decode(body, headers.get("Content-Encoding") or "", max_bytes)
    except EncodingError as error:
        raise UnusableRecordError(str(error)) from None
    if not content_type and not body.lstrip().startswith(b"<"):
        raise UnusableRecordError("not_html")
    return CapturedPage(url, body, content_type, _date(record), record.stream_pos)
