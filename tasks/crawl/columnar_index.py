"""The pages of a crawl in its columnar index, by reading the columns that a selection looks at.

    crawl-data/CC-MAIN-2024-10/cc-index-table.paths.gz
    cc-index/table/cc-main/warc/crawl=CC-MAIN-2024-10/subset=warc/part-00000-….gz.parquet

Columns: https://github.com/commoncrawl/cc-index-table. The 300 files are sorted by the URLs' keys
(SURT), so statistics tell which row groups can hold a domain; for languages and media types every
row group is looked at, and where the pages are is read only where one fits.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline_config.common_crawl import PageSelection
from storage.artifact import Counts
from tasks.crawl.backoff import DownloadError
from tasks.crawl.cdx_index import key_prefixes
from tasks.crawl.common_crawl import list_paths
from tasks.crawl.page_index import IndexedPage, domain_of
from tasks.crawl.ranges import RangeFile
from tasks.crawl.remote import Remote

KEY, HOST, STATUS, LANGUAGES = (
    "url_surtkey",
    "url_host_name",
    "fetch_status",
    "content_languages",
)
TYPE, SENT_TYPE, TRUNCATED = "content_mime_detected", "content_mime_type", "content_truncated"
PLACE = ["url", "content_digest", "warc_filename", "warc_record_offset", "warc_record_length"]


def index_files(remote: Remote, crawl: str, share: float) -> list[str]:
    """The files of a crawl's index that are searched.

    They are chosen by the hash of their names: a larger share adds to a smaller one, and each is
    spread over the alphabet.
    """
    paths = [p for p in list_paths(remote, crawl, "cc-index-table") if "/subset=warc/" in p]
    if not paths:
        raise DownloadError(f"{remote.base_url}: the columnar index of {crawl} has no subset=warc")
    ordered = sorted(paths, key=lambda path: hashlib.sha256(path.encode()).digest())
    return ordered[: math.ceil(share * len(paths))]


def search(
    remote: Remote, path: str, selection: PageSelection, counts: Counts
) -> Iterator[IndexedPage]:
    """The pages of one file that fit; the others are dropped in `counts`.

    Raises:
        DownloadError: when it is no index, or does not know what the selection asks for.
    """
    try:
        with pa.PythonFile(RangeFile(remote, path), mode="r") as source:
            file = pq.ParquetFile(source, pre_buffer=True)
            names = set(file.schema_arrow.names)
            missing = {STATUS, HOST, *PLACE} - names
            missing |= {LANGUAGES} - names if selection.languages else set()
            if missing:
                raise DownloadError(
                    f"{remote.base_url}{path} has no {', '.join(sorted(missing))}; "
                    "languages are listed since CC-MAIN-2018-39"
                )
            for group in range(file.num_row_groups):
                if _may_hold(file, group, selection.domains):
                    yield from _pages(file, group, selection, counts)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DownloadError(f"{remote.base_url}{path}: {error}") from None


def _may_hold(file: pq.ParquetFile, group: int, domains: Sequence[str]) -> bool:
    """Whether the smallest and largest key leave room for one of the domains."""
    if not domains or KEY not in file.schema_arrow.names:
        return True
    row_group = file.metadata.row_group(group)
    column = file.schema_arrow.names.index(KEY)
    statistics = row_group.column(column).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    low, high = str(statistics.min).encode(), str(statistics.max).encode()
    prefixes = [prefix for name in domains for prefix in key_prefixes(name)]
    return any(low < prefix + b"\xff" and high >= prefix for prefix in prefixes)


def _pages(
    file: pq.ParquetFile, group: int, selection: PageSelection, counts: Counts
) -> Iterator[IndexedPage]:
    """The fitting pages of a row group."""
    looked_at = [HOST, STATUS, TYPE, SENT_TYPE, LANGUAGES, TRUNCATED]
    table = file.read_row_group(group, columns=_there(file, looked_at))
    rows = _rows_of_domains(table, selection.domains)
    counts.read += len(rows)
    for reason, is_unfit in _tests(table, selection):
        bad = pc.fill_null(is_unfit.take(rows), False)
        if reason == STATUS:
            for found in pc.value_counts(table[STATUS].take(rows.filter(bad))).to_pylist():
                counts.drop(f"status_{found['values']}", found["counts"])
        else:
            counts.drop(reason, pc.sum(bad).as_py() or 0)
        rows = rows.filter(pc.invert(bad))
    if not len(rows):
        return
    places = file.read_row_group(group, columns=PLACE).take(rows).select(PLACE)
    for url, digest, warc_file, offset, length in zip(
        *(column.to_pylist() for column in places.columns), strict=True
    ):
        page = None
        if None not in (url, warc_file, offset, length):
            domain = domain_of(url, selection.domains)
            page = IndexedPage(url, domain, digest or "", warc_file, offset, length)
        if page is not None and page.is_plausible:
            yield page
        else:
            counts.drop("broken_index_line")


def _there(file: pq.ParquetFile, columns: list[str]) -> list[str]:
    names = set(file.schema_arrow.names)
    return [name for name in columns if name in names]


def _rows_of_domains(table: pa.Table, domains: Sequence[str]) -> pa.Array:
    """The numbers of the rows of one of the domains; without domains those of all."""
    numbers = pa.array(np.arange(len(table)))
    if not domains:
        return numbers
    hosts = table[HOST]
    fits = pc.is_in(hosts, pa.array(domains))
    for name in domains:
        fits = pc.or_(fits, pc.ends_with(hosts, f".{name}"))
    return numbers.filter(pc.fill_null(fits, False).combine_chunks())


def _tests(table: pa.Table, selection: PageSelection) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """Reasons in the order of `page_index.unfit`, and which rows they hold for."""
    yield STATUS, pc.not_equal(table[STATUS], 200)
    empty = pa.chunked_array([pa.nulls(len(table), pa.string())])

    def column(name: str) -> pa.ChunkedArray:
        return pc.fill_null(table[name] if name in table.column_names else empty, "")

    if selection.mime_types:
        found, sent = column(TYPE), column(SENT_TYPE)
        types = pc.if_else(pc.equal(found, ""), sent, found)
        yield "other_type", pc.invert(pc.is_in(types, pa.array(selection.mime_types)))
    if selection.languages:
        main = pc.replace_substring_regex(column(LANGUAGES), ",.*", "")
        yield "other_language", pc.invert(pc.is_in(main, pa.array(selection.languages)))
    yield "truncated", pc.not_equal(column(TRUNCATED), "")
