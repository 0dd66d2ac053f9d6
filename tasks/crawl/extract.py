"""The step `extract`: captured pages become documents, one shard per WARC file.

Input: the files of `fetch`. Output: `00000.parquet` … in the documents' schema, sorted by id. What
gives no document is counted: `status_404`, `not_html`, `robots_txt`, `truncated`, `broken_record`,
`url_domain`, `empty_text`, `timeout` and so on.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline_config.crawl import ExtractJob
from pipeline_config.extraction import ExtractionConfig
from pipeline_config.url_filter import UrlFilter
from storage.artifact import ArtifactRef, Counts, FileEntry
from storage.build import Build
from storage.shards import Shard, ShardOutput
from tasks.crawl.document_tables import DocumentTables
from tasks.crawl.documents import Document, shares
from tasks.crawl.page_process import PageProcess
from tasks.crawl.page_text import NoTextError, PageText
from tasks.crawl.record_origins import ORIGINS_SUFFIX, at_origin
from tasks.crawl.url_filter import Lists, UrlRules, load_lists
from tasks.crawl.warc_reading import CapturedPage, read_pages
from tasks.crawl.warc_writing import VISITS_NAME


def extract_pages(build: Build, capture: ArtifactRef, job: ExtractJob) -> None:
    """Extracts a capture.

    Raises:
        ValueError: when no page gave a document, with the reasons.
    """
    found = build.files(capture, ".warc.gz")
    files = [entry for entry in found if entry.name != VISITS_NAME]
    origins = build.manifest(capture).counts.extra.get("origins", {})
    places = {entry.name: entry for entry in build.files(capture, ORIGINS_SUFFIX)}
    shards = [
        # The name counts as input: it is written beside every document.
        Shard(
            name=f"{index:05d}",
            inputs=(entry, *places_of(entry.name, places)),
            extra={"warc_file": origins.get(entry.name, entry.name), "limit": limit},
        )
        for index, (entry, limit) in enumerate(
            zip(files, shares(job.limit, len(files)), strict=False)
        )
    ]
    plain = job.model_copy(update={"limit": 0, "url_filter": UrlFilter()})
    params = {"job": plain, "rules": UrlRules.of(job.url_filter)}
    build.map_shards(extract_shard, shards, params, unit="pages")


def places_of(name: str, places: dict[str, FileEntry]) -> list[FileEntry]:
    """The table that says where the records of a WARC file are from, when there is one."""
    beside = places.get(name.removesuffix(".warc.gz") + ORIGINS_SUFFIX)
    return [beside] if beside else []


def extract_shard(inputs: list[Path], params: dict[str, Any], out: ShardOutput) -> None:
    """Extracts one WARC file."""
    job, lists = params["job"], load_lists(params["rules"])
    tables = DocumentTables(out, job.source, job.labels, out.extra["limit"])
    documents = warc_documents(inputs[0], out.extra["warc_file"], job.extraction, lists, out)
    tables.fill(at_origin(documents, inputs[1]) if len(inputs) > 1 else documents)


def warc_documents(
    path: Path, warc_file: str, config: ExtractionConfig, lists: Lists, out: ShardOutput
) -> Iterator[Document]:
    """The documents of a WARC or WET file; everything else is counted in `out`."""

    def drop(reason: str, url: str, offset: int) -> None:
        place = warc_file if offset < 0 else f"{warc_file}, from byte {offset}"
        out.counts.read += 1
        out.counts.drop(reason, example=url or place)

    with PageProcess(config) as extractor:
        for page in read_pages(path, config.max_page_bytes, drop):
            out.counts.read += 1
            if fault := lists.fault(page.url):
                out.counts.drop(fault, example=page.url)
                continue
            found = text_of(page, extractor, out.counts)
            if found is not None:
                yield Document(
                    text=found.text,
                    url=page.url,
                    first_seen=page.date,
                    language=found.language,
                    warc_file=warc_file,
                    warc_offset=page.offset,
                    licence=found.licence,
                    metadata=found.metadata,
                )


def text_of(page: CapturedPage, extractor: PageProcess, counts: Counts) -> PageText | None:
    """The text of a page, or None when it has none and that was counted."""
    if page.is_text:
        return PageText(page.body.decode("utf-8", "replace"), page.language)
    try:
        return extractor.page_text(page.body, page.url, page.content_type, page.date)
    except NoTextError as error:
        counts.drop(str(error), example=page.url)
        return None
