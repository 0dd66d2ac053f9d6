"""Pages out of WARC and WET files, with damage counted and stepped over.

fastwarc finds the records; transfer and content encodings are undone here, because its own decoding
loses the records after a chunked one (2.0.1) and knows no limit. After damage reading goes on at
the next place where a record can begin. Bodies are never read beyond a limit, whatever their
headers declare and however small they were compressed.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from fastwarc import ArchiveIterator, WarcRecord, WarcRecordType

from tasks.crawl.documents import primary_language
from tasks.crawl.http_body import EncodingError, dechunk, decode

GZIP_MEMBER = b"\x1f\x8b\x08"
PLAIN_RECORD = b"WARC/1."
SEARCH_BYTES = 1 << 20
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


def read_pages(path: Path, max_bytes: int, drop: Callable[[str], None]) -> Iterator[CapturedPage]:
    """The usable pages of a file, in order; `drop` hears the reason of each other record.

    `max_bytes` bounds a body, both as it was sent and as it was meant. Requests, metadata and the
    like are passed over. A stretch of damage is dropped once, as `broken_record`.
    """
    with path.open("rb") as file, path.open("rb") as probe:
        marker = GZIP_MEMBER if probe.read(2) == GZIP_MEMBER[:2] else PLAIN_RECORD
        start: int | None = 0 if path.stat().st_size else None
        damaged = False
        while start is not None:
            file.seek(start)
            position = -1
            try:
                for record in ArchiveIterator(file, parse_http=False):
                    position = record.stream_pos
                    page = _page(record, max_bytes, drop)
                    damaged = False
                    if page is not None:
                        is_offset = _begins_at(probe, position, marker)
                        yield page if is_offset else replace(page, offset=-1)
                if position >= 0:
                    return
            except (OSError, DamagedError):
                pass
            if not damaged:
                drop("broken_record")
            damaged = True
            start = _find(file, marker, max(position, start) + 1)


def _page(record: WarcRecord, max_bytes: int, drop: Callable[[str], None]) -> CapturedPage | None:
    """The page of a record, or None, and then its reason was dropped if it should be a page.

    Raises:
        DamagedError: when the record does not hold what its headers say.
    """
    try:
        if record.record_type == WarcRecordType.response:
            return _response(record, max_bytes)
        if record.record_type == WarcRecordType.conversion:
            return _wet_text(record, max_bytes)
    except UnusableRecordError as error:
        drop(str(error))
        return None
    if record.record_type == WarcRecordType.unknown and record.headers.is_empty():
        raise DamagedError("the file ends within a record's headers")
    return None


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


def _begins_at(file: BinaryIO, offset: int, marker: bytes) -> bool:
    file.seek(offset)
    return file.read(len(marker)) == marker


def _target(record: WarcRecord) -> str:
    url = (record.headers.get("WARC-Target-URI") or "").strip("<> ")
    if not url:
        raise UnusableRecordError("no_url")
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
