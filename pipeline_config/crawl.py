"""Where documents come from: named sources of ten kinds, and how pages become text.

A source is chosen by its `kind`. Pages of `live` and `common_crawl` sources are captured into WARC
files once per `crawl.as_of` and extracted afterwards; every other kind is read where it lies. Each
step gets one object with exactly the settings that its result depends on (`to_fetch`,
`to_extract`, `to_read`), so that a new licence label never crawls a site again.
"""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from pipeline_config.base import StageConfig

HOST_PORT = r"^[A-Za-z0-9.\-\[\]:]+:\d+$"
HOST_PATTERN = r"^(\*\.)?[A-Za-z0-9.\-]+(:\d+)?$"
PYDOC_FIELDS = {"module": r"^https?://[^/]+/([^/]+)\.html$", "topic": r"/topics/([^/]+)\.html$"}
SOURCE_NAME = r"^[a-z0-9][a-z0-9_-]{0,39}$"


class ExtractionConfig(StageConfig):
    """How the main text of an HTML page is found."""

    engine: Literal["trafilatura"] = Field(
        default="trafilatura", description="library that separates the text from the page around it"
    )
    favour: Literal["balance", "precision", "recall"] = Field(
        default="balance", description="precision: rather too little text; recall: rather too much"
    )
    fast: bool = Field(
        default=True,
        description="no second opinion of other extractors: 1.4 times faster, and F1 .931 for .932 "
        "on trafilatura's own evaluation pages",
    )
    tables: bool = Field(default=True, description="keep the text of tables")
    comments: bool = Field(default=False, description="keep readers' comments below an article")
    max_page_bytes: int = Field(
        default=10_000_000, ge=1_000, description="bytes; longer pages are dropped as `too_large`"
    )
    max_page_seconds: float = Field(
        default=30.0,
        gt=0,
        le=600,
        description="seconds of one page; slower pages are dropped as `timeout`",
    )


class Labels(StageConfig):
    """What is written beside every document of a source."""

    licence: str = Field(
        default="", description="licence of documents that state none themselves, such as CC-BY-4.0"
    )
    url_fields: dict[str, str] = Field(
        default_factory=dict,
        description="metadata taken from the URL: a name and a regular expression with one group",
    )

    @field_validator("url_fields")
    @classmethod
    def _check_patterns(cls, patterns: dict[str, str]) -> dict[str, str]:
        for name, pattern in patterns.items():
            try:
                groups = re.compile(pattern).groups
            except re.error as error:
                raise ValueError(f"{name}: {pattern!r} is no regular expression: {error}") from None
            if groups != 1:
                raise ValueError(f"{name}: {pattern!r} must have one group, it has {groups}")
        return patterns


# ---- what is captured


class LiveCapture(StageConfig):
    """A site to crawl, politely: robots.txt is always obeyed, other hosts are never asked."""

    kind: Literal["live"] = "live"
    seeds: tuple[str, ...] = Field(min_length=1, description="URLs to start from")
    hosts: tuple[Annotated[str, Field(pattern=HOST_PATTERN)], ...] = Field(
        default=(),
        description="hosts to stay on, `*.` for all subdomains; if empty, those of the seeds",
    )
    serve: Literal["", "pydoc"] = Field(
        default="",
        description="pydoc: the seeds' host is this Python's documentation, served on loopback "
        "while it is crawled; its modules and topics become metadata unless url_fields says other",
    )
    allow_private: tuple[Annotated[str, Field(pattern=HOST_PORT)], ...] = Field(
        default=(),
        description="`host:port` on private, link-local or loopback addresses that may be asked",
    )
    max_pages: int = Field(default=10_000, ge=1, description="pages fetched per capture")
    max_depth: int = Field(
        default=20, ge=0, le=1_000, description="links from a seed; 0: seeds only"
    )
    max_page_bytes: int = Field(
        default=10_000_000, ge=1_000, description="bytes; the rest of a longer page is not fetched"
    )
    content_types: tuple[str, ...] = Field(
        default=("text/html", "application/xhtml+xml"),
        min_length=1,
        description="media types whose bodies are fetched",
    )
    num_files: int = Field(
        default=8,
        ge=1,
        le=10_000,
        description="WARC files the pages are spread over, by the hash of their URL",
    )
    user_agent: str = Field(
        default="crawl2chat",
        pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$",
        description="name that robots.txt rules are matched with",
    )
    contact: str = Field(
        default="", description="mail address or URL where a site's owner reaches who crawls"
    )
    as_of: str = Field(default="", description="a new value, such as a date, captures again")
    # How fast a site is asked changes no page: these stay out of the capture's key.
    delay_seconds: float = Field(
        default=1.0, ge=0, le=3_600, exclude=True, description="seconds between requests to a host"
    )
    concurrency: int = Field(
        default=2, ge=1, le=64, exclude=True, description="requests to a host at one time"
    )
    timeout_seconds: float = Field(
        default=30.0, gt=0, le=600, exclude=True, description="seconds until a request is given up"
    )
    retries: int = Field(
        default=2,
        ge=0,
        le=20,
        exclude=True,
        description="repeats after a timeout or a server error",
    )

    @field_validator("seeds")
    @classmethod
    def _check_seeds(cls, seeds: tuple[str, ...]) -> tuple[str, ...]:
        for seed in seeds:
            parts = urlsplit(seed)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"{seed!r} is no web address; write http://host/path")
        return seeds

    @model_validator(mode="after")
    def _check_contact(self) -> "LiveCapture":
        if not self.serve and not self.contact:
            raise ValueError(
                "contact is empty; give a mail address or URL where a site's owner reaches you"
            )
        return self


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


class LiveSource(LiveCapture, Labels):
    """A live site."""


class CommonCrawlSource(CommonCrawlCapture, Labels):
    """Common Crawl."""


# ---- what is read where it lies


class Files(Labels):
    """Local files."""

    paths: tuple[str, ...] = Field(
        min_length=1, description="files, folders, or patterns such as data/**/*.jsonl"
    )


class WarcSource(Files):
    """WARC or WET files on this machine, gzipped or not."""

    kind: Literal["warc"]


class HtmlSource(Files):
    """HTML pages in files."""

    kind: Literal["html"]
    base_url: str = Field(default="", description="a page's URL is this and its path in the folder")


class TextSource(Files):
    """Plain UTF-8 text, one document per file."""

    kind: Literal["text"]
    base_url: str = Field(default="", description="a file's URL is this and its path in the folder")


class Columns(StageConfig):
    """Which column of a table, or key of a JSON line, becomes which field of a document."""

    text: str = Field(default="text", min_length=1, description="the text")
    url: str = Field(default="", description="the URL; if empty, file name and row number")
    language: str = Field(default="", description="the declared language; if empty, none")
    licence: str = Field(default="", description="the licence; if empty, the source's")
    first_seen: str = Field(default="", description="ISO date of the page; if empty, none")
    metadata: dict[str, str] = Field(
        default_factory=dict, description="names in the document's metadata and their columns"
    )


class JsonlSource(Files):
    """JSON Lines, plain or gzipped."""

    kind: Literal["jsonl"]
    columns: Columns = Columns()


class ParquetSource(Files):
    """Parquet tables."""

    kind: Literal["parquet"]
    columns: Columns = Columns()


class HuggingFaceSource(Labels):
    """A data set of the Hugging Face Hub, or a local folder in one of its forms; streamed."""

    kind: Literal["huggingface"]
    name: str = Field(min_length=1, description="owner/name on the Hub, or a local folder")
    config: str = Field(default="", description="configuration (subset); if empty, the default one")
    split: str = Field(default="train", min_length=1, description="split")
    revision: str = Field(
        default="main",
        min_length=1,
        description="commit, tag or branch; a branch is read again when crawl.as_of changes",
    )
    columns: Columns = Columns()


class PackagesSource(Labels):
    """The long descriptions (readmes) of the Python packages installed here."""

    kind: Literal["packages"]
    exclude: tuple[str, ...] = Field(
        default=("crawl2chat",), description="packages to leave out, by name"
    )


class StdlibSource(Labels):
    """The source files of this Python's standard library."""

    kind: Literal["stdlib"]
    exclude: tuple[str, ...] = Field(
        default=("encodings", "idlelib", "lib2to3", "pydoc_data", "test", "tests", "turtledemo"),
        description="folders or modules to leave out wherever they are: tests, demos, tables, and "
        "the topics that the documentation site shows",
    )


ReadableSource = Annotated[
    WarcSource
    | HtmlSource
    | TextSource
    | JsonlSource
    | ParquetSource
    | HuggingFaceSource
    | PackagesSource
    | StdlibSource,
    Field(discriminator="kind"),
]
Source = Annotated[
    LiveSource
    | CommonCrawlSource
    | WarcSource
    | HtmlSource
    | TextSource
    | JsonlSource
    | ParquetSource
    | HuggingFaceSource
    | PackagesSource
    | StdlibSource,
    Field(discriminator="kind"),
]


# ---- what each step gets


class ExtractJob(StageConfig):
    """Settings of the step that turns captured pages into documents."""

    source: str
    labels: Labels
    extraction: ExtractionConfig
    limit: int


class ReadJob(StageConfig):
    """Settings of the step that reads a source where it lies."""

    source: str
    reads: ReadableSource
    extraction: ExtractionConfig | None
    limit: int
    as_of: str


class CrawlConfig(StageConfig):
    """The sources of the corpus, by name; a source is also a domain of the training mixture."""

    sources: dict[Annotated[str, Field(pattern=SOURCE_NAME)], Source] = Field(
        min_length=1, description="sources by name"
    )
    extraction: ExtractionConfig = ExtractionConfig()
    as_of: str = Field(
        default="",
        pattern=r"^[\w.:-]{0,40}$",
        description="date or name of this state of the outside world; a new one captures again",
    )
    limit: int = Field(default=0, ge=0, description="documents per source in a trial run; 0: all")

    def is_captured(self, name: str) -> bool:
        """Whether a source is fetched and then extracted, rather than read."""
        return isinstance(self.sources[name], LiveCapture | CommonCrawlCapture)

    def to_fetch(self, name: str) -> LiveCapture | CommonCrawlCapture:
        """The settings of a captured source's `fetch` step."""
        source = self.sources[name]
        if isinstance(source, LiveCapture):
            pages = min(source.max_pages, self.limit or source.max_pages)
            chosen = {key: getattr(source, key) for key in LiveCapture.model_fields}
            return LiveCapture(**chosen | {"as_of": source.as_of or self.as_of, "max_pages": pages})
        if isinstance(source, CommonCrawlCapture):
            # One file holds 30,000 pages: enough for any trial.
            chosen = {key: getattr(source, key) for key in CommonCrawlCapture.model_fields}
            return CommonCrawlCapture(**chosen | ({"num_files": 1} if self.limit else {}))
        raise TypeError(f"source {name!r} of kind {source.kind} is read, not fetched")

    def to_extract(self, name: str) -> ExtractJob:
        """The settings of a captured source's `extract` step."""
        return ExtractJob(
            source=name,
            labels=self._labels(name),
            extraction=self.extraction,
            limit=self.limit,
        )

    def to_read(self, name: str) -> ReadJob:
        """The settings of any other source's `read` step."""
        source = self.sources[name]
        if isinstance(source, LiveSource | CommonCrawlSource):
            raise TypeError(f"source {name!r} of kind {source.kind} is fetched, not read")
        holds_pages = isinstance(source, WarcSource | HtmlSource)
        moves = isinstance(source, HuggingFaceSource)
        return ReadJob(
            source=name,
            reads=source,
            extraction=self.extraction if holds_pages else None,
            limit=self.limit,
            as_of=self.as_of if moves else "",
        )

    def _labels(self, name: str) -> Labels:
        source = self.sources[name]
        is_pydoc = isinstance(source, LiveSource) and source.serve == "pydoc"
        default = PYDOC_FIELDS if is_pydoc else {}
        return Labels(licence=source.licence, url_fields=source.url_fields or default)
