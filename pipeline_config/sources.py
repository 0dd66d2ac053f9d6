"""Where documents come from: sources of ten kinds, each chosen by its `kind`."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipeline_config.base import StageConfig
from pipeline_config.common_crawl import CommonCrawlCapture
from pipeline_config.extraction import ExtractionOverrides
from pipeline_config.live import LiveCapture
from pipeline_config.url_filter import UrlFilterOverrides


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
    def _check_url_fields(cls, patterns: dict[str, str]) -> dict[str, str]:
        for name, pattern in patterns.items():
            try:
                groups = re.compile(pattern).groups
            except re.error as error:
                raise ValueError(f"{name}: {pattern!r} is no regular expression: {error}") from None
            if groups != 1:
                raise ValueError(f"{name}: {pattern!r} must have one group, it has {groups}")
        return patterns


class Addressed(Labels):
    """A source whose documents have URLs of their own."""

    url_filter: UrlFilterOverrides = Field(
        default=UrlFilterOverrides(), description="keys in which it differs from crawl.url_filter"
    )


class Pages(Addressed):
    """A source of HTML pages."""

    extraction: ExtractionOverrides = Field(
        default=ExtractionOverrides(), description="keys in which it differs from crawl.extraction"
    )


# ---- what is captured


class LiveSource(LiveCapture, Pages):
    """A live site."""


class CommonCrawlSource(CommonCrawlCapture, Pages):
    """Common Crawl."""


# ---- what is read where it lies


class Files(Labels):
    """Local files."""

    paths: tuple[str, ...] = Field(
        min_length=1, description="files, folders, or patterns such as data/**/*.jsonl"
    )


class WarcSource(Files, Pages):
    """WARC or WET files on this machine, gzipped or not."""

    kind: Literal["warc"]


class HtmlSource(Files, Pages):
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


class JsonlSource(Files, Addressed):
    """JSON Lines: plain, .gz or .zst."""

    kind: Literal["jsonl"]
    columns: Columns = Columns()


class ParquetSource(Files, Addressed):
    """Parquet tables."""

    kind: Literal["parquet"]
    columns: Columns = Columns()


class HuggingFaceSource(Addressed):
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
