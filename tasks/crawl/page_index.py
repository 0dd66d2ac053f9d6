"""Pages that an index of Common Crawl lists: where each one's record is, and which ones fit.

Both indexes, `cdx_index` and `columnar_index`, say the same about a page; so what a selection asks
for, and the sample that is taken when too many fit, are here.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa

from pipeline_config.common_crawl import PageSelection
from storage.artifact import Counts
from storage.tables import read_table, write_table

PAGE_SCHEMA = pa.schema(
    [
        ("url", pa.string()),
        ("domain", pa.string()),  # which of the selection's domains, "" when it has none
        ("digest", pa.string()),  # SHA-1 of the payload in base32
        ("warc_file", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
    ]
)

MAX_RECORD_BYTES = 1 << 25
MAX_FILE_BYTES = 1 << 40
SPARE_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class IndexedPage:
    """A page, and the byte range of its record."""

    url: str
    domain: str
    digest: str
    warc_file: str
    offset: int
    length: int

    @property
    def is_plausible(self) -> bool:
        """Whether the range may be that of a record, and the rest can be stored.

        Common Crawl cuts pages at 5 MB.
        """
        texts = self.url + self.digest + self.warc_file
        is_range = 0 <= self.offset < MAX_FILE_BYTES and 0 < self.length <= MAX_RECORD_BYTES
        return is_range and texts == texts.encode("utf-8", "replace").decode()


def unfit(
    status: str, mime_type: str, languages: str, truncated: str, selection: PageSelection
) -> str:
    """Why a page is not taken, or "".

    `mime_type` is what the content is, whatever its server said; `languages` are ISO 639-3 codes,
    the main one first.

    >>> german = PageSelection(domains=("a.de",), languages=("deu",))
    >>> unfit("200", "text/html", "deu,eng", "", german)
    ''
    >>> unfit("200", "text/html", "eng,deu", "", german)
    'other_language'
    """
    if status != "200":
        return f"status_{status}"
    if selection.mime_types and mime_type not in selection.mime_types:
        return "other_type"
    if selection.languages and languages.partition(",")[0] not in selection.languages:
        return "other_language"
    return "truncated" if truncated else ""


def domain_of(url: str, domains: Iterable[str]) -> str:
    """The one of `domains` that a page belongs to, the longest of several; or "".

    >>> domain_of("https://docs.python.org/3/", ["python.org", "org"])
    'python.org'
    >>> domain_of("https://notpython.org/", ["python.org"])
    ''
    """
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # no address at all
        return ""
    fitting = [name for name in domains if host == name or host.endswith("." + name)]
    return max(fitting, key=len, default="")


def sample(pages: Iterable[IndexedPage], max_pages: int, counts: Counts) -> list[IndexedPage]:
    """The pages in the order of their URLs' hashes; at most `max_pages` (0: all), more dropped.

    A larger sample begins with the smaller one.
    """
    ordered = sorted(pages, key=_rank)
    taken = ordered[: max_pages or len(ordered)]
    counts.drop("over_max_pages", len(ordered) - len(taken))
    return taken


def samples(
    pages: Iterable[IndexedPage], max_pages: int, counts: Counts
) -> dict[str, list[IndexedPage]]:
    """A sample of each domain's pages, of which never many more are held than are taken."""
    found: dict[str, list[IndexedPage]] = {}
    for page in pages:
        held = found.setdefault(page.domain, [])
        held.append(page)
        if max_pages and len(held) >= 2 * max_pages + SPARE_PAGES:
            found[page.domain] = sample(held, max_pages, counts)
    return {domain: sample(held, max_pages, counts) for domain, held in found.items()}


def _rank(page: IndexedPage) -> tuple[bytes, str, int]:
    digest = hashlib.blake2b(page.url.encode("utf-8", "replace"), digest_size=16).digest()
    return digest, page.warc_file, page.offset


def save_pages(pages: Sequence[IndexedPage], path: Path) -> str:
    """Writes pages as a Parquet file; returns the digest of its rows."""
    columns = list(zip(*map(astuple, pages), strict=True)) or [()] * len(PAGE_SCHEMA)
    arrays = [
        pa.array(column, field.type) for column, field in zip(columns, PAGE_SCHEMA, strict=True)
    ]
    return write_table(path, pa.Table.from_arrays(arrays, schema=PAGE_SCHEMA), PAGE_SCHEMA)


def load_pages(path: Path) -> list[IndexedPage]:
    """The pages of such a file."""
    table = read_table(path)
    columns = [table.column(field.name).to_pylist() for field in fields(IndexedPage)]
    return [IndexedPage(*row) for row in zip(*columns, strict=True)]
