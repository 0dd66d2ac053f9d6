"""The pages of a domain in a crawl's CDX index, by a few byte ranges.

The index is one list of all pages, sorted by their keys, in gzip members of 3,000 lines that are
spread over 300 files. `cluster.idx` (100 to 200 MB) has the first key of each member, and is sorted
too, so a binary search finds the members of a domain:

    cc-index/collections/CC-MAIN-2024-10/indexes/cluster.idx
    org,python,docs)/3/ 20240221101112 TAB cdx-00219.gz TAB 5236491 TAB 201467 TAB 657001

    cc-index/collections/CC-MAIN-2024-10/indexes/cdx-00219.gz, bytes 5236491 to 5437958, unpacked:
    org,python,docs)/3/ 20240221101112 {"url": …, "status": "200", "mime-detected": "text/html",
      "languages": "eng", "digest": …, "filename": …, "offset": "1234", "length": "5678"}

The key is the URL with its host turned round (SURT) and a leading `www.` left out.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pipeline_config.common_crawl import PageSelection
from storage.artifact import Counts
from tasks.crawl.backoff import DownloadError
from tasks.crawl.page_index import IndexedPage, domain_of, unfit
from tasks.crawl.ranges import read_member
from tasks.crawl.remote import Remote

PROBE_BYTES = 1 << 13
WINDOW_BYTES = 1 << 16
MAX_BLOCK_BYTES = 1 << 25
WWW = re.compile(r"^www\d*\.(?=.*\.)")
BLOCK_FILE = re.compile(r"cdx-\d+\.gz\Z")


def key_prefixes(domain: str) -> tuple[bytes, ...]:
    """What the keys of a domain and its subdomains begin with: path, port, or one more label.

    >>> key_prefixes("www.python.org")
    (b'org,python)', b'org,python,', b'org,python:')
    """
    key = ",".join(reversed(WWW.sub("", domain).split(".")))
    return tuple(f"{key}{end}".encode() for end in "),:")


@dataclass(frozen=True, slots=True)
class Block:
    """One gzip member of the index."""

    file: str
    offset: int
    length: int


class ClusterIndex:
    """The index of one crawl's index; threads may share it."""

    def __init__(self, remote: Remote, crawl: str) -> None:
        """Nothing is read yet."""
        self.remote = remote
        self.folder = f"cc-index/collections/{crawl}/indexes"
        self._read: dict[int, bytes] = {}  # searches begin with the same probes

    @cached_property
    def size(self) -> int:
        """Bytes."""
        return self.remote.size(f"{self.folder}/cluster.idx")

    def blocks(self, prefix: bytes) -> list[Block]:
        """The members that may hold keys which begin with `prefix`, in order."""
        before: bytes | None = None  # the last member that begins before may end with them
        found: list[bytes] = []
        for line in self._lines(self._start(prefix)):
            if line.startswith(prefix):
                found.append(line)
            elif line < prefix:
                before = line
            else:
                break
        return [self._block(line) for line in ([before] if before else []) + found]

    def _start(self, prefix: bytes) -> int:
        """The start of a line before `prefix`, or of the first; little lies between."""
        low, high = 0, self.size  # lines that start at `high` or later are not before `prefix`
        while high - low > WINDOW_BYTES:
            middle = (low + high) // 2
            start, line = self._line_after(middle, len(prefix))
            if start < high and line < prefix:
                low = start
            else:
                high = middle + 1
        return low

    def _line_after(self, position: int, length: int) -> tuple[int, bytes]:
        """Where the first line behind `position` starts, and at least `length` bytes of it."""
        data = b""
        while position + len(data) < self.size:
            data += self._bytes(position + len(data), PROBE_BYTES)
            end = data.find(b"\n")
            if end >= 0 and len(data) > end + length:
                break
        end = data.find(b"\n")
        return (self.size, b"") if end < 0 else (position + end + 1, data[end + 1 :])

    def _lines(self, position: int) -> Iterator[bytes]:
        rest = b""
        while position < self.size:
            data = self._bytes(position, WINDOW_BYTES)
            position += len(data)
            *lines, rest = (rest + data).split(b"\n")
            yield from lines
        if rest:
            yield rest

    def _bytes(self, start: int, length: int) -> bytes:
        length = min(length, self.size - start)
        known = self._read.get(start, b"")
        if len(known) < length:
            known = self._read[start] = self.remote.read(
                f"{self.folder}/cluster.idx", start, length
            )
        return known[:length]

    def _block(self, line: bytes) -> Block:
        parts = line.decode("utf-8", "replace").split("\t")
        if len(parts) >= 4 and BLOCK_FILE.match(parts[1]) and parts[2].isdigit():
            length = int(parts[3]) if parts[3].isdigit() else 0
            if 0 < length <= MAX_BLOCK_BYTES:
                return Block(f"{self.folder}/{parts[1]}", int(parts[2]), length)
        raise DownloadError(f"{self.folder}/cluster.idx has the line {line[:200]!r}")


def search(
    index: ClusterIndex, domain: str, selection: PageSelection, counts: Counts
) -> Iterator[IndexedPage]:
    """The pages of a domain that fit; the others are dropped in `counts`.

    Pages of a longer one of the selection's domains are that one's.
    """
    for prefix in key_prefixes(domain):
        for block in index.blocks(prefix):
            text = read_member(index.remote, block.file, block.offset, block.length)
            for line in text.split(b"\n"):
                if line.startswith(prefix):
                    page = _page(line, domain, selection, counts)
                    if page is not None:
                        yield page


def _page(line: bytes, domain: str, selection: PageSelection, counts: Counts) -> IndexedPage | None:
    """The page of a line, when it is of the domain and fits."""
    try:
        said = {name: str(value) for name, value in json.loads(line.split(b" ", 2)[2]).items()}
        page = IndexedPage(
            url=said["url"],
            domain=domain,
            digest=said.get("digest", ""),
            warc_file=said["filename"],
            offset=int(said["offset"]),
            length=int(said["length"]),
        )
        if not page.is_plausible:
            raise ValueError(page)
    except (ValueError, KeyError, IndexError, AttributeError):
        counts.read += 1
        counts.drop("broken_index_line")
        return None
    if domain_of(page.url, selection.domains) != domain:
        return None
    counts.read += 1
    reason = unfit(
        said.get("status", ""),
        said.get("mime-detected") or said.get("mime", ""),
        said.get("languages", ""),
        said.get("truncated", ""),
        selection,
    )
    if not reason and "/robotstxt/" in page.warc_file:
        reason = "robots_txt"
    if reason:
        counts.drop(reason)
    return None if reason else page
