"""The part of the step `fetch` that takes whole files or single pages from Common Crawl.

Output: `00000.warc.gz` … , one per file of the crawl, or one per 1,000 selected pages; in the
latter case `00000.origins.parquet` … tell where each record is at Common Crawl.
"""

from collections.abc import Sequence
from functools import partial

from pipeline_config.common_crawl import CommonCrawlCapture
from storage.build import Build
from storage.fingerprint import file_digest
from storage.shards import ShardResult
from tasks.crawl.common_crawl import choose_files
from tasks.crawl.portions import Portion, PortionOutput, fetch_portions
from tasks.crawl.remote import DownloadError, Remote
from tasks.crawl.warc_checks import check_file


def fetch_common_crawl(build: Build, capture: CommonCrawlCapture) -> None:
    """Fetches what no capture of this store fetched before; `extra` keeps where it is from.

    Raises:
        DownloadError: when the server does not give a file; a new run goes on from there.
    """
    with Remote(
        capture.base_url,
        timeout_seconds=capture.timeout_seconds,
        retries=capture.retries,
        connections=capture.connections,
    ) as remote:
        fetch_files(build, capture, remote)


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
    `extra`, and the step `extract` steps over the damage.

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
    out.counts.read = out.counts.kept = 1
    out.add_file(".warc.gz", target)
