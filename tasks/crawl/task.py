"""The crawl stage's steps: `fetch` and `extract` for captured sources, `read` for all others.

if crawl.is_captured(name):
    documents = extract(fetch(crawl.to_fetch(name)), crawl.to_extract(name))
else:
    documents = read(crawl.to_read(name))
"""

from typing import Any

from pipeline_config.common_crawl import CommonCrawlCapture
from pipeline_config.crawl import ExtractJob, ReadJob
from pipeline_config.live import LiveCapture
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.steps import step
from tasks.crawl import inputs


def outside(capture: LiveCapture | CommonCrawlCapture) -> dict[str, Any]:
    """What a capture depends on beside its settings: this Python, where its own site is crawled."""
    if isinstance(capture, LiveCapture) and capture.serve == "pydoc":
        return {"python": inputs.this_python()}
    return {}


@step("fetch", version="2", capture=True, identity=outside)
def fetch(build: Build, capture: LiveCapture | CommonCrawlCapture) -> None:
    """Captures a live site or files of Common Crawl into WARC files."""
    from tasks.crawl.fetch import fetch_pages

    fetch_pages(build, capture)


def lists(job: ExtractJob, **_: object) -> dict[str, Any]:
    """The URL filter's lists, files that are read from outside the store."""
    return inputs.list_digests(job)


@step(
    "extract",
    version="2",
    libraries=("trafilatura", "resiliparse", "htmldate", "lxml", "w3lib"),
    identity=lists,
)
def extract(build: Build, capture: ArtifactRef, job: ExtractJob) -> None:
    """Turns captured pages into documents."""
    from tasks.crawl.extract import extract_pages

    extract_pages(build, capture, job)


@step(
    "read",
    version="2",
    libraries=("trafilatura", "resiliparse", "htmldate", "lxml", "w3lib"),
    identity=inputs.identity,
)
def read(build: Build, job: ReadJob) -> None:
    """Turns files, data sets, installed packages or this Python's sources into documents."""
    from tasks.crawl.read import read_source

    read_source(build, job)
