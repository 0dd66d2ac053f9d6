"""HTML pages in files become documents, each extracted as a captured page is."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline_config.extraction import ExtractionConfig
from storage.shards import ShardOutput
from tasks.crawl.documents import Document
from tasks.crawl.page_process import PageProcess
from tasks.crawl.page_text import NoTextError
from tasks.crawl.url_filter import Lists


def html_documents(
    pages: Iterable[tuple[str, Path]], config: ExtractionConfig, lists: Lists, out: ShardOutput
) -> Iterator[Document]:
    """The documents of pages, given by URL and file; everything else is counted in `out`."""
    with PageProcess(config) as extractor:
        for url, path in pages:
            out.counts.read += 1
            if fault := lists.fault(url):
                out.counts.drop(fault, example=url)
                continue
            if path.stat().st_size > config.max_page_bytes:
                out.counts.drop("too_large", example=url)  # and never read
                continue
            try:
                found = extractor.page_text(path.read_bytes(), url, "", "")
            except NoTextError as error:
                out.counts.drop(str(error), example=url)
                continue
            yield Document(
                found.text,
                url,
                language=found.language,
                licence=found.licence,
                metadata=found.metadata,
            )
