"""Files of a Common Crawl: its list of paths, and downloads that go on where they stopped.

    https://data.commoncrawl.org/crawl-data/CC-MAIN-2024-10/warc.paths.gz
    crawl-data/CC-MAIN-2024-10/segments/1707947473347.0/warc/CC-MAIN-…-00000.warc.gz   one per line

Each file is a random sample of the crawl's pages, so the first files of the list will do, and a
larger number adds to them. A mirror is another base URL, a local copy a `file://` one.
"""

import gzip
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import httpx

from pipeline_config.common_crawl import CommonCrawlCapture

USER_AGENT = "crawl2chat"
BLOCK_BYTES = 1 << 20
MAX_PAUSE_SECONDS = 60.0
PARTIAL = ".part"


class DownloadError(Exception):
    """A file could not be downloaded; the message holds its URL and the last reason."""


def list_files(capture: CommonCrawlCapture, folder: Path) -> list[str]:
    """The paths of the files to take, relative to the base URL; the list is kept in `folder`."""
    name = f"crawl-data/{capture.crawl}/{capture.files}.paths.gz"
    target = folder / f"{capture.crawl}-{capture.files}.paths.gz"
    download(capture, name, target, lambda _done, _total: None)
    paths = gzip.decompress(target.read_bytes()).decode().split()
    if len(paths) < capture.num_files:
        raise ValueError(
            f"num_files is {capture.num_files}, but {capture.crawl} has {len(paths)} "
            f"{capture.files} files; set crawl.sources.….num_files to at most that"
        )
    return paths[: capture.num_files]


def download(
    capture: CommonCrawlCapture, path: str, target: Path, on_progress: Callable[[int, int], None]
) -> None:
    """Brings one file to `target`, going on from what a killed run left; a no-op when it is there.

    `on_progress` hears bytes done and, where the server says it, bytes in all.

    Raises:
        DownloadError: after `capture.retries` failures in a row.
    """
    if target.exists():
        return
    url = urljoin(capture.base_url, path)
    if urlsplit(url).scheme == "file":
        partial = target.with_name(target.name + PARTIAL)
        shutil.copyfile(unquote(urlsplit(url).path), partial)
        partial.rename(target)
        return
    failures = 0
    with httpx.Client(
        timeout=capture.timeout_seconds, follow_redirects=True, headers={"User-Agent": USER_AGENT}
    ) as client:
        while True:
            before = _size(target)
            try:
                _fetch_rest(client, url, target, on_progress)
                return
            except (httpx.TransportError, _TryAgainError) as error:
                failures = 1 if _size(target) > before else failures + 1
                if failures > capture.retries:
                    reason = str(error) or type(error).__name__
                    raise DownloadError(f"{url}: {reason}, {failures} times in a row") from None
                time.sleep(_pause(failures))


class _TryAgainError(Exception):
    """The server could not answer now."""


def _size(target: Path) -> int:
    partial = target.with_name(target.name + PARTIAL)
    return partial.stat().st_size if partial.exists() else 0


def _pause(failures: int) -> float:
    """Seconds: 0.5, 1, 2, … and up to half more, so that not all machines come back at once."""
    return min(MAX_PAUSE_SECONDS, 0.25 * 2.0**failures) * (1 + random.random() / 2)


def _fetch_rest(
    client: httpx.Client, url: str, target: Path, on_progress: Callable[[int, int], None]
) -> None:
    """Asks for what is missing and appends it; renames the file when all is there."""
    partial = target.with_name(target.name + PARTIAL)
    have = _size(target)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            partial.unlink()  # it is not a beginning of what the server has
            raise _TryAgainError("the server has another file than before")
        if response.status_code in (429, 500, 502, 503, 504):
            raise _TryAgainError(f"HTTP {response.status_code}")
        if response.is_error:
            raise DownloadError(f"{url}: HTTP {response.status_code}")
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        done = have if resumed else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else 0
        with partial.open("ab" if resumed else "wb") as file:
            for block in response.iter_raw(BLOCK_BYTES):
                file.write(block)
                done += len(block)
                on_progress(done, total)
    if total and done != total:
        raise _TryAgainError(f"{done} of {total} bytes came")
    partial.rename(target)


def download_all(
    capture: CommonCrawlCapture, folder: Path, on_progress: Callable[[int, int, int, int], None]
) -> Iterator[tuple[str, Path]]:
    """Yields each file's path in the crawl and where it lies now.

    `on_progress` hears files done, files in all, and the bytes of the current one, done and in all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = list_files(capture, folder)
    for index, path in enumerate(paths):
        target = folder / f"{index:05d}-{Path(path).name}"

        def tell(done: int, total: int, index: int = index) -> None:
            on_progress(index, len(paths), done, total)

        download(capture, path, target, tell)
        yield path, target
