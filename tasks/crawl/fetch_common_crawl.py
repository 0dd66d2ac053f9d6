"""The part of the step `fetch` that takes whole files or single pages from Common Crawl.

Output: `00000.warc.gz` … , one per file of the crawl, or one per 1,000 selected pages; in the
latter case `00000.origins.parquet` … tell where each record is at Common Crawl.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from pipeline_config.common_crawl import CommonCrawlCapture, PageSelection
from storage.build import Build
from storage.fingerprint import file_digest
from storage.shards import ShardResult
from tasks.crawl import cdx_index, columnar_index
from tasks.crawl.backoff import DownloadError
from tasks.crawl.common_crawl import choose_files, find_crawls
from tasks.crawl.page_index import IndexedPage, load_pages, sample, samples, save_pages
from tasks.crawl.page_records import fetch_records
from tasks.crawl.portions import Portion, PortionOutput, fetch_portions
from tasks.crawl.remote import Remote
from tasks.crawl.warc_checks import check_file

PAGES_PER_FILE = 1_000  # about 35 MB; a larger selection fetches what is not in its whole files


def fetch_common_crawl(build: Build, capture: CommonCrawlCapture) -> None:
    """Fetches what no capture of this store fetched before; `extra` keeps where it is from.

    Raises:
        DownloadError: when the server does not give a file; a new run goes on from there.
    """
    if capture.since:
        folder, _, name = capture.crawl_list.rpartition("/")
        with connect(capture, f"{folder}/") as remote:
            crawls = find_crawls(remote, name, capture.since)
        build.log(f"{len(crawls)} crawls: {', '.join(crawls)}")
        capture = capture.model_copy(update={"crawls": crawls})
    with connect(capture, capture.base_url) as remote:
        if capture.select is None:
            fetch_files(build, capture, remote)
        else:
            fetch_selection(build, capture, capture.select, remote)


def connect(capture: CommonCrawlCapture, base_url: str) -> Remote:
    """A server, asked as patiently as the capture says."""
    return Remote(
        base_url,
        timeout_seconds=capture.timeout_seconds,
        retries=capture.retries,
        connections=capture.connections,
    )


def fetch_files(build: Build, capture: CommonCrawlCapture, remote: Remote) -> None:
    """Whole files, or their beginnings."""
    paths = [path for crawl in capture.crawls for path in choose_files(remote, capture, crawl)]
    portions = [
        Portion(
            {"base_url": capture.base_url, "file": path, "first_bytes": capture.first_bytes},
            partial(fetch_file, remote, path, capture.first_bytes),
        )
        for path in paths
    ]
    results = fetch_portions(build, remote, portions, capture.connections, "files")
    add_results(build, results)
    build.counts.extra["origins"] = {
        result.files[0].name: path for result, path in zip(results, paths, strict=True)
    }


def add_results(build: Build, results: Sequence[ShardResult]) -> None:
    """Adds files that are in the store already, and their counts."""
    for result in results:
        for entry in result.files:
            build.add_stored(entry)
        build.counts.merge(result.counts)


def fetch_file(remote: Remote, path: str, first_bytes: int, out: PortionOutput) -> None:
    """One file, checked by its own checksums; a damaged one is fetched once more.

    A file that comes twice with the same damage is damaged on the server: it is kept, counted in
    `extra`, and the step `extract` steps over the damage. So are records that came as they were
    sent, but do not have the digest that they name.

    Raises:
        DownloadError: when it does not come, or comes damaged in different ways.
    """
    target = out.folder / "file"
    seen = ""
    while True:
        if not target.exists():
            remote.download(path, target, lambda done, _: out.tell(done), first_bytes)
        check = check_file(target)
        if first_bytes and check.whole_bytes and check.damage.endswith("within a record"):
            with target.open("r+b") as file:
                file.truncate(check.whole_bytes)
            break
        if not check.damage:
            break
        digest = file_digest(target)
        if digest == seen:
            out.counts.extra["damaged"] = {path: check.damage}
            break
        if seen:
            raise DownloadError(f"{path} came damaged twice, in different ways; {check.damage}")
        seen = digest
        target.unlink()
    if check.num_wrong:
        out.counts.extra["wrong_digests"] = {path: check.num_wrong}
    out.counts.read = out.counts.kept = 1
    out.add_file(".warc.gz", target)


# ---- single pages


def fetch_selection(
    build: Build, capture: CommonCrawlCapture, selection: PageSelection, remote: Remote
) -> None:
    """The records of the pages that an index lists as fitting.

    Raises:
        ValueError: when no page fits, with the reasons.
    """
    searches = [
        Portion({"base_url": capture.base_url} | asked, search)
        for crawl in capture.crawls
        for asked, search in index_searches(remote, crawl, selection)
    ]
    found: dict[tuple[str, str], list[IndexedPage]] = {}
    for search, result in zip(
        searches,
        fetch_portions(build, remote, searches, capture.connections, "index parts"),
        strict=True,
    ):
        build.counts.merge(result.counts)
        for entry in result.files:
            for page in load_pages(build.store.blob_path(entry)):
                found.setdefault((search.asked["crawl"], page.domain), []).append(page)
    chosen = {
        key: sample(pages, selection.max_pages, build.counts)
        for key, pages in sorted(found.items())
    }
    build.counts.extra["pages"] = {" ".join(key).strip(): len(chosen[key]) for key in chosen}
    parts = [
        pages[start : start + PAGES_PER_FILE]
        for pages in chosen.values()
        for start in range(0, len(pages), PAGES_PER_FILE)
    ]
    portions = [
        Portion(
            {
                "base_url": capture.base_url,
                "records": [[page.warc_file, page.offset, page.length] for page in part],
            },
            partial(fetch_records, remote, part),
        )
        for part in parts
    ]
    results = fetch_portions(build, remote, portions, capture.connections, "parts of pages")
    add_results(build, results)
    # No name in the capture counts: each document gets the place of its record.
    build.counts.extra["origins"] = {
        entry.name: ""
        for result in results
        for entry in result.files
        if entry.name.endswith(".warc.gz")
    }
    if build.counts.kept == 0:
        raise ValueError(
            f"{build.label} finds no page of {', '.join(capture.crawls)} that is as `select` "
            f"asks for: {build.counts}"
        )


def index_searches(
    remote: Remote, crawl: str, selection: PageSelection
) -> Iterator[tuple[dict[str, Any], Callable[[PortionOutput], None]]]:
    """What is to be searched in a crawl's index: a key for it, and how."""
    asked = {"crawl": crawl, **selection.model_dump(include={"languages", "mime_types"})}
    if selection.index == "cdx":
        clusters = cdx_index.ClusterIndex(remote, crawl)
        for domain in selection.domains:
            below = [name for name in selection.domains if name.endswith("." + domain)]
            key = asked | {"index": "cdx", "domain": domain, "without": sorted(below)}
            yield key, partial(search_domain, clusters, domain, selection)
    else:
        asked |= selection.model_dump(include={"domains", "max_pages"})
        for path in columnar_index.index_files(remote, crawl, selection.index_share):
            yield asked | {"index": path}, partial(search_file, remote, path, selection)


def search_domain(
    clusters: cdx_index.ClusterIndex, domain: str, selection: PageSelection, out: PortionOutput
) -> None:
    """The pages of one domain."""
    save_search(cdx_index.search(clusters, domain, selection, out.counts), out)


def search_file(remote: Remote, path: str, selection: PageSelection, out: PortionOutput) -> None:
    """The pages of one file of the columnar index; no more than can be in the sample."""
    pages = columnar_index.search(remote, path, selection, out.counts)
    found = samples(pages, selection.max_pages, out.counts)
    save_search([page for domain in sorted(found) for page in found[domain]], out)


def save_search(pages: Iterable[IndexedPage], out: PortionOutput) -> None:
    """Leaves the pages as a table."""
    found = list(pages)
    path = out.folder / "pages.parquet"
    digest = save_pages(found, path)
    out.add_file(".pages.parquet", path, rows=len(found), digest=digest)
