"""Settings of a capture from Common Crawl: whole files of a crawl, or single pages of its index."""

import math
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from pipeline_config.base import StageConfig

CrawlId = Annotated[str, Field(pattern=r"^CC-MAIN-\d{4}-[\w-]+$")]
Domain = Annotated[str, Field(pattern=r"^([a-z0-9_-]+\.)*[a-z0-9-]*[a-z][a-z0-9-]*$")]
LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{3}$")]

TRIAL_INDEX_SHARE = 1 / 300  # one file of the columnar index: 10 million pages
TRIAL_BYTES_PER_PAGE = 50_000  # of a WARC file: 1 GB holds 30,000 pages and what belongs to them


class PageSelection(StageConfig):
    """Single pages of each crawl: found in its index, fetched by their byte ranges."""

    domains: tuple[Domain, ...] = Field(
        default=(),
        description="hosts, each with all its subdomains, such as python.org; `is` for all of .is",
    )
    languages: tuple[LanguageCode, ...] = Field(
        default=(),
        description="main language as Common Crawl found it, ISO 639-3 (eng); if empty, any",
    )
    mime_types: tuple[str, ...] = Field(
        default=("text/html", "application/xhtml+xml"),
        description="media types as Common Crawl found them; if empty, any",
    )
    max_pages: int = Field(
        default=0,
        ge=0,
        description="pages of one crawl, for each of the domains where there are any: a sample by "
        "the hash of the URL, to which a higher number only adds; 0: all",
    )
    index: Literal["cdx", "columnar"] = Field(
        default="cdx",
        description="cdx: sorted by domain, a few requests each; columnar: Parquet, for selections "
        "without a domain: searches about 300 files of up to 1 GB, of which half is read",
    )
    index_share: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="share of the columnar index's files that is searched",
    )

    @field_validator("domains", mode="before")
    @classmethod
    def _as_the_index_has_them(cls, domains: Any) -> Any:
        if not isinstance(domains, list | tuple):
            return domains
        return tuple(_ascii(name) if isinstance(name, str) else name for name in domains)

    @model_validator(mode="after")
    def _check_index(self) -> "PageSelection":
        if self.index == "cdx" and not self.domains:
            raise ValueError(
                "the cdx index lists pages by domain; give domains, or index: columnar"
            )
        return self


def _ascii(domain: str) -> str:
    """A host name as it is written in indexes: lower case, other scripts as punycode."""
    try:
        return domain.strip(".").lower().encode("idna").decode()
    except UnicodeError:
        return domain


class CommonCrawlCapture(StageConfig):
    """Files or pages of monthly crawls of commoncrawl.org, or of a mirror or copy of it."""

    kind: Literal["common_crawl"] = "common_crawl"
    crawls: tuple[CrawlId, ...] = Field(
        default=(),
        description="crawl ids, such as CC-MAIN-2024-10; one more fetches its own files only",
    )
    since: CrawlId | None = Field(
        default=None,
        description="instead of crawls: this one and all later ones that are listed at the time; a "
        "schedule, or a new crawl.as_of, looks for new ones",
    )
    crawl_list: str = Field(
        default="https://index.commoncrawl.org/collinfo.json",
        pattern=r"^(https?|file)://.*/[^/]+$",
        description="for since: the JSON list of all crawls, each with its id",
    )
    as_of: str = Field(
        default="", description="with since: a new value, such as a date, looks for new crawls"
    )
    files: Literal["warc", "wet"] = Field(
        default="warc",
        description="warc: pages, extracted here; wet: text, as Common Crawl made it",
    )
    num_files: int = Field(
        default=1,
        ge=1,
        le=100_000,
        description="files of each crawl, the first of its list: about 1 GB and 30,000 pages each",
    )
    share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of each crawl's files, instead of num_files; 0: num_files counts",
    )
    first_bytes: int = Field(
        default=0,
        ge=0,
        description="bytes of each file, cut behind the last whole record; 0: all of it",
    )
    select: PageSelection | None = Field(
        default=None, description="single pages by domain, language or type instead of whole files"
    )
    base_url: str = Field(
        default="https://data.commoncrawl.org/",
        pattern=r"^(https?|file)://.*/$",
        description="where the crawls lie; a mirror or a local copy (file:///…/) will do",
    )
    # How patiently is asked changes no byte: these stay out of the capture's key.
    timeout_seconds: float = Field(
        default=60.0, gt=0, le=3_600, exclude=True, description="seconds without a byte"
    )
    retries: int = Field(
        default=8, ge=0, le=100, exclude=True, description="repeats of a failed request in a row"
    )
    connections: int = Field(
        default=4, ge=1, le=16, exclude=True, description="requests at one time"
    )

    @field_validator("crawls", mode="before")
    @classmethod
    def _one_crawl_is_a_list_too(cls, crawls: Any) -> Any:
        return (crawls,) if isinstance(crawls, str) else crawls

    @model_validator(mode="after")
    def _check_choice(self) -> "CommonCrawlCapture":
        if bool(self.crawls) == bool(self.since):
            raise ValueError("name crawls, or since: the first of all that are wanted; one of both")
        if len(set(self.crawls)) < len(self.crawls):
            raise ValueError(f"crawls names one twice: {', '.join(self.crawls)}")
        if self.share and self.num_files != 1:
            raise ValueError("num_files and share are both given; leave one of them out")
        whole = self.share or self.num_files != 1 or self.first_bytes
        if self.select and whole:
            raise ValueError("num_files, share and first_bytes choose files; with select omit them")
        if self.select and self.files == "wet":
            raise ValueError("select finds pages in WARC files only; leave files: wet out")
        return self

    def trial(self, limit: int) -> "CommonCrawlCapture":
        """As little of the first crawl as gives about `limit` pages.

        Of the columnar index one file is searched; with domains all of them, for their statistics
        tell where those are, and what else is in them is not read.
        """
        first = {"crawls": (self.since,) if self.since else self.crawls[:1], "since": None}
        if self.select:
            each = math.ceil(limit / max(1, len(self.select.domains)))
            share = 1.0 if self.select.domains else TRIAL_INDEX_SHARE
            less = {
                "max_pages": min(self.select.max_pages or each, each),
                "index_share": min(self.select.index_share, share),
            }
            return self.model_copy(update=first | {"select": self.select.model_copy(update=less)})
        enough = limit * TRIAL_BYTES_PER_PAGE
        beginning = min(self.first_bytes or enough, enough)
        return self.model_copy(
            update=first | {"num_files": 1, "share": 0.0, "first_bytes": beginning}
        )
