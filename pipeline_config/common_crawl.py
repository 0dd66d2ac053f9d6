"""Settings of a capture from Common Crawl: which files of which monthly crawl."""

from typing import Literal

from pydantic import Field

from pipeline_config.base import StageConfig


class CommonCrawlCapture(StageConfig):
    """Some files of one monthly crawl of commoncrawl.org, or of a mirror or copy of it."""

    kind: Literal["common_crawl"] = "common_crawl"
    crawl: str = Field(
        pattern=r"^CC-MAIN-\d{4}-[\w-]+$", description="crawl id, such as CC-MAIN-2024-10"
    )
    files: Literal["warc", "wet"] = Field(
        default="warc",
        description="warc: pages, extracted here; wet: text, as Common Crawl made it",
    )
    num_files: int = Field(
        default=1,
        ge=1,
        le=100_000,
        description="files to download, the first of the crawl's list: about 1 GB and 30,000 pages",
    )
    base_url: str = Field(
        default="https://data.commoncrawl.org/",
        pattern=r"^(https?|file)://.*/$",
        description="where the crawls lie; a mirror or a local copy (file:///…/) will do",
    )
    timeout_seconds: float = Field(
        default=60.0, gt=0, le=3_600, exclude=True, description="seconds without a byte"
    )
    retries: int = Field(
        default=8, ge=0, le=100, exclude=True, description="repeats of a failed download in a row"
    )
