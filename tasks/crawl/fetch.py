"""The step `fetch`: a source's pages, captured into WARC files.

Output: `00000.warc.gz` … . A capture that was killed goes on from the build's work folder, and
what it has is not asked for again.
"""

import shutil
from pathlib import Path

from pipeline_config.common_crawl import CommonCrawlCapture
from pipeline_config.live import LiveCapture
from storage.build import Build
from tasks.crawl.fetch_common_crawl import fetch_common_crawl
from tasks.crawl.live import CrawlProgress, crawl
from tasks.crawl.warc_writing import file_name


def fetch_pages(build: Build, capture: LiveCapture | CommonCrawlCapture) -> None:
    """Captures a source."""
    if isinstance(capture, LiveCapture):
        fetch_site(build, capture)
    else:
        fetch_common_crawl(build, capture)


def fetch_site(build: Build, capture: LiveCapture) -> None:
    """Crawls a live site; `dropped` says why the other URLs gave no page.

    Raises:
        ValueError: when the crawl found no page, with the reasons.
    """
    folder = build.work / "capture"

    def on_progress(progress: CrawlProgress) -> None:
        build.progress(progress.done, progress.done + progress.waiting, "pages")

    result = crawl(capture, folder, on_progress)
    build.counts.read = result.done
    build.counts.kept = result.pages
    for reason, number in sorted(result.others.items()):
        build.counts.drop(reason, number)
    build.counts.extra["ended"] = result.finished
    if result.pages == 0:
        raise ValueError(f"{build.label}: no page at {', '.join(capture.seeds)}: {build.counts}")
    for index in range(capture.num_files):
        path = folder / file_name(index)
        if path.exists():
            # A copy: were this run killed here, the next one would go on writing to the original.
            copy = Path(shutil.copyfile(path, build.scratch / path.name))
            build.add_file(path.name, copy)
