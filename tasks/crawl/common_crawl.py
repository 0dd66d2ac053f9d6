"""Which monthly crawls are taken, from the list of all; and which files of one, from its paths.

    https://index.commoncrawl.org/collinfo.json
    [{"id": "CC-MAIN-2024-10", …}, …]                       the newest first

    https://data.commoncrawl.org/crawl-data/CC-MAIN-2024-10/warc.paths.gz
    crawl-data/CC-MAIN-2024-10/segments/1707947473347.0/warc/CC-MAIN-…-00000.warc.gz   one per line

Each file is a random sample of the crawl's pages, so the first files of the list will do, and a
larger number or share adds to them.
"""

import json
import math
import re
import zlib
from contextlib import suppress

from pipeline_config.common_crawl import CommonCrawlCapture
from tasks.crawl.backoff import DownloadError
from tasks.crawl.remote import Remote

CRAWL_ID = re.compile(r"CC-MAIN-\d{4}-\d\d")  # year and week: in order of time
MAX_LIST_BYTES = 64_000_000  # compressed; the longest ones have 0.2 MB
MAX_LIST_TEXT_BYTES = 512_000_000


def find_crawls(remote: Remote, name: str, since: str) -> tuple[str, ...]:
    """The ids of a crawl and of all later ones in the list of that name, the oldest first.

    Raises:
        DownloadError: when the list is not there, is no list, or does not name `since`.
    """
    data, url = remote.read_all(name, MAX_LIST_BYTES), f"{remote.base_url}{name}"
    listed: object = None
    with suppress(ValueError):  # no UTF-8, or no JSON
        listed = json.loads(data)
    if not isinstance(listed, list):
        raise DownloadError(f"{url}: no JSON list of crawls")
    names = [crawl.get("id") for crawl in listed if isinstance(crawl, dict)]
    known = sorted({name for name in names if isinstance(name, str) and CRAWL_ID.fullmatch(name)})
    if since not in known:
        last = f"; the newest is {known[-1]}" if known else ""
        raise DownloadError(f"{url} names {len(known)} crawls, but no {since}{last}")
    return tuple(known[known.index(since) :])


def list_paths(remote: Remote, crawl: str, name: str) -> list[str]:
    """The paths in one of a crawl's lists, each once: `warc`, `wet`, or `cc-index-table`.

    Raises:
        DownloadError: when the list is not there, or is no list.
    """
    path = f"crawl-data/{crawl}/{name}.paths.gz"
    try:
        data = remote.read_all(path, MAX_LIST_BYTES)
    except DownloadError as error:
        raise DownloadError(f"{error}; is {crawl} one of its crawls?") from None
    unpack = zlib.decompressobj(wbits=31)
    try:
        text = unpack.decompress(data, MAX_LIST_TEXT_BYTES)
    except zlib.error as error:
        raise DownloadError(f"{remote.base_url}{path}: no gzip file: {error}") from None
    if not unpack.eof:
        raise DownloadError(f"{remote.base_url}{path}: not a whole list of paths")
    return list(dict.fromkeys(text.decode("utf-8", "replace").split()))


def choose_files(remote: Remote, capture: CommonCrawlCapture, crawl: str) -> list[str]:
    """The paths of the files to take of one crawl, relative to the base URL.

    Raises:
        ValueError: when the crawl has fewer files than `num_files`.
    """
    paths = list_paths(remote, crawl, capture.files)
    if capture.share:
        return paths[: math.ceil(capture.share * len(paths))]
    if len(paths) < capture.num_files:
        raise ValueError(
            f"num_files is {capture.num_files}, but {crawl} has {len(paths)} "
            f"{capture.files} files; set crawl.sources.….num_files to at most that"
        )
    return paths[: capture.num_files]
