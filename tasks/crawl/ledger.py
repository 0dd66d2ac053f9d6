"""The page ledger of a live source: what is known of each of its pages from capture to capture.

One row per URL: its state, since when it is known, how to ask for it again (validators), and where
its record is in the capture that the ledger belongs to. It is an input of the next capture only;
nothing downstream reads it, so that a page that was seen again changes no byte.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Literal

import pyarrow as pa

from storage.tables import read_table, write_table

LEDGER_NAME = "ledger.parquet"
# Not reached, so nothing is known: the page stays as it was.
UNREACHED = (
    *("robots_unreachable", "crawl_delay", "tdm_unreachable", "private_address", "over_budget"),
    *("ignored", "failed_"),
    *("status_5", "status_408", "status_425", "status_429"),
)
# The site, or we, do not want the page: it leaves at once.
UNWANTED = ("robots_disallowed", "opted_out_", "status_451", "off_host", "denied", "not_canonical")
MOVED = "moved"  # for good, to a page that is here

State = Literal["kept", "missing", "gone", "left"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the records of a page's answer and request are."""

    file: str
    offset: int  # bytes
    length: int  # bytes


@dataclass(frozen=True, slots=True)
class Page:
    """A row of the ledger.

    A page is `kept`; `missing` when it was not found once, and still there; `gone` when it was not
    found in a second capture; `left` when its site or our settings took it out, as `reason` says.
    """

    url: str
    state: State
    reason: str = ""  # why it is not kept
    depth: int = 0  # links from a seed
    content_hash: str = ""  # of what a reader sees
    etag: str = ""
    last_modified: str = ""
    first_seen: str = ""  # ISO dates
    last_seen: str = ""
    missing_as_of: str = ""  # the capture that did not find it first
    place: Place | None = None  # None for pages that are gone or left

    @property
    def is_here(self) -> bool:
        """Whether its text belongs to the source."""
        return self.state in ("kept", "missing")


LEDGER_SCHEMA = pa.schema(
    [
        *((field.name, pa.string()) for field in fields(Page) if field.type is str),
        ("state", pa.string()),
        ("depth", pa.int32()),
        ("warc_file", pa.string()),
        ("warc_offset", pa.int64()),
        ("warc_length", pa.int64()),
    ]
)


def save_ledger(pages: Iterable[Page], path: Path) -> tuple[int, str]:
    """Writes a ledger, sorted by URL; returns the number of its rows and their digest."""
    rows = []
    for page in sorted(pages, key=lambda page: page.url):
        row = asdict(page)
        place = page.place or Place("", -1, 0)
        del row["place"]
        row |= {"warc_file": place.file, "warc_offset": place.offset, "warc_length": place.length}
        rows.append(row)
    table = pa.Table.from_pylist(rows, schema=LEDGER_SCHEMA)
    return len(rows), write_table(path, table, LEDGER_SCHEMA)


def load_ledger(path: Path) -> dict[str, Page]:
    """A ledger by URL."""
    pages = {}
    for row in read_table(path).to_pylist():
        name, offset, length = (row.pop(f"warc_{key}") for key in ("file", "offset", "length"))
        pages[row["url"]] = Page(**row, place=Place(name, offset, length) if name else None)
    return pages


# ---- one capture later


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a capture found at a URL."""

    url: str
    reason: str = ""  # why there is no page; "" when there is one
    depth: int = 0
    content_hash: str = ""
    etag: str = ""
    last_modified: str = ""
    canonical: str = ""  # the address that the page names as its own, when that is another


def next_page(known: Page | None, outcome: Outcome | None, as_of: str, today: str) -> Page | None:
    """What is known of a page after a capture; `place` is still that of the capture before.

    A page that was found is kept. One that its site refuses leaves. One that was not found is
    missing, and gone when the capture of another `as_of` does not find it either. One that was not
    reached, or not asked for, stays as it was. None: nothing is known, and nothing was found.
    """
    if outcome is None or outcome.reason.startswith(UNREACHED):
        return known
    if outcome.reason == "":
        return Page(
            url=outcome.url,
            state="kept",
            depth=outcome.depth,
            content_hash=outcome.content_hash,
            etag=outcome.etag,
            last_modified=outcome.last_modified,
            first_seen=known.first_seen if known else today,
            last_seen=today,
            place=known.place if known and known.content_hash == outcome.content_hash else None,
        )
    if known is None or not known.is_here:
        return known
    if outcome.reason == MOVED or outcome.reason.startswith(UNWANTED):
        return replace(known, state="left", reason=outcome.reason, place=None)
    if known.state == "kept":
        return replace(known, state="missing", reason=outcome.reason, missing_as_of=as_of)
    if known.missing_as_of == as_of:
        return known
    return replace(known, state="gone", reason=outcome.reason, place=None)
