"""The sources of the corpus by name, and what each step of the crawl gets.

Pages of `live` and `common_crawl` sources are captured into WARC files once per `crawl.as_of` and
extracted afterwards; every other kind is read where it lies. Each step gets one object with
exactly the settings that its result depends on (`to_fetch`, `to_extract`, `to_read`), so that a
new licence label never crawls a site again.
"""

from typing import Annotated

from pydantic import Field

from pipeline_config.base import StageConfig
from pipeline_config.common_crawl import CommonCrawlCapture
from pipeline_config.extraction import ExtractionConfig, ExtractionOverrides
from pipeline_config.live import LiveCapture
from pipeline_config.sources import (
    Addressed,
    CommonCrawlSource,
    HuggingFaceSource,
    Labels,
    LiveSource,
    Pages,
    ReadableSource,
    Source,
)
from pipeline_config.url_filter import UrlFilter, UrlFilterOverrides

PYDOC_FIELDS = {"module": r"^https?://[^/]+/([^/]+)\.html$", "topic": r"/topics/([^/]+)\.html$"}
TRIAL_SECONDS = 90.0  # of a live crawl: a new source is tried in two minutes
SOURCE_NAME = r"^[a-z0-9][a-z0-9_-]{0,39}$"


class ExtractJob(StageConfig):
    """Settings of the step that turns captured pages into documents."""

    source: str
    labels: Labels
    extraction: ExtractionConfig
    url_filter: UrlFilter
    limit: int


class ReadJob(StageConfig):
    """Settings of the step that reads a source where it lies."""

    source: str
    reads: ReadableSource
    extraction: ExtractionConfig | None
    url_filter: UrlFilter
    limit: int
    as_of: str


class CrawlConfig(StageConfig):
    """The sources of the corpus, by name; a source is also a domain of the training mixture."""

    sources: dict[Annotated[str, Field(pattern=SOURCE_NAME)], Source] = Field(
        min_length=1, description="sources by name"
    )
    extraction: ExtractionConfig = ExtractionConfig()
    url_filter: UrlFilter = UrlFilter()
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
            chosen = {key: getattr(source, key) for key in LiveCapture.model_fields}
            chosen["as_of"] = source.as_of or self.as_of
            if self.limit:
                chosen["max_pages"] = min(source.max_pages, self.limit)
                chosen["max_seconds"] = min(source.max_seconds or TRIAL_SECONDS, TRIAL_SECONDS)
            return LiveCapture(**chosen)
        if isinstance(source, CommonCrawlCapture):
            chosen = {key: getattr(source, key) for key in CommonCrawlCapture.model_fields}
            chosen["as_of"] = (source.as_of or self.as_of) if source.since else ""
            capture = CommonCrawlCapture(**chosen)
            return capture.trial(self.limit) if self.limit else capture
        raise TypeError(f"source {name!r} of kind {source.kind} is read, not fetched")

    def to_extract(self, name: str) -> ExtractJob:
        """The settings of a captured source's `extract` step."""
        return ExtractJob(
            source=name,
            labels=self._labels(name),
            extraction=self._extraction(name),
            url_filter=self._url_filter(name),
            limit=self.limit,
        )

    def to_read(self, name: str) -> ReadJob:
        """The settings of any other source's `read` step."""
        source = self.sources[name]
        if isinstance(source, LiveSource | CommonCrawlSource):
            raise TypeError(f"source {name!r} of kind {source.kind} is fetched, not read")
        moves = isinstance(source, HuggingFaceSource)
        return ReadJob(
            source=name,
            reads=_without_overrides(source),
            extraction=self._extraction(name) if isinstance(source, Pages) else None,
            url_filter=self._url_filter(name),
            limit=self.limit,
            as_of=self.as_of if moves else "",
        )

    def _extraction(self, name: str) -> ExtractionConfig:
        source = self.sources[name]
        assert isinstance(source, Pages)
        return source.extraction.over(self.extraction)

    def _url_filter(self, name: str) -> UrlFilter:
        source = self.sources[name]
        if isinstance(source, Addressed):
            return source.url_filter.over(self.url_filter)
        return UrlFilter()

    def _labels(self, name: str) -> Labels:
        source = self.sources[name]
        is_pydoc = isinstance(source, LiveSource) and source.serve == "pydoc"
        default = PYDOC_FIELDS if is_pydoc else {}
        return Labels(licence=source.licence, url_fields=source.url_fields or default)


def _without_overrides(source: ReadableSource) -> ReadableSource:
    """A source without what says how it is read: a job has that beside it."""
    cleared: dict[str, object] = {}
    if isinstance(source, Addressed):
        cleared["url_filter"] = UrlFilterOverrides()
    if isinstance(source, Pages):
        cleared["extraction"] = ExtractionOverrides()
    return source.model_copy(update=cleared)
