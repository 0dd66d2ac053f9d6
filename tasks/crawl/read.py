"""The step `read`: sources that are read where they lie become documents.

Output: `00000.parquet` … in the documents' schema, sorted by id. A large file is a shard of its
own. Small ones share shards by the hash of their name, so that a new file changes one shard; how
many there are is a power of two, which a growing source rarely changes.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline_config.crawl import ReadJob
from pipeline_config.sources import (
    Files,
    HtmlSource,
    HuggingFaceSource,
    JsonlSource,
    PackagesSource,
    ParquetSource,
    StdlibSource,
    TextSource,
    WarcSource,
)
from storage.build import Build
from storage.shards import Shard, ShardOutput
from tasks.crawl.document_tables import DocumentTables
from tasks.crawl.documents import Document, shares
from tasks.crawl.inputs import InputFile, identity, input_files
from tasks.crawl.rows import dataset_rows, jsonl_rows, parquet_rows, row_documents
from tasks.crawl.text_files import (
    UnreadableError,
    package_documents,
    source_document,
    text_document,
)

BUCKET_BYTES = 4 << 20  # of small files that share a shard
SMALL_FILES = (HtmlSource, TextSource, StdlibSource)


def read_source(build: Build, job: ReadJob) -> None:
    """Reads a source.

    Raises:
        ValueError: when nothing gave a document, with the reasons.
    """
    groups = shard_groups(job)
    shards = [
        Shard(name=f"{index:05d}", inputs=(), extra={**group, "limit": limit})
        for index, (group, limit) in enumerate(
            zip(groups, shares(job.limit, len(groups)), strict=False)
        )
    ]
    # What named the files does not matter once they are found: it is no part of a shard's key.
    reads = job.reads
    if isinstance(reads, Files):
        reads = reads.model_copy(update={"paths": ()})
    params = job.model_copy(update={"reads": reads, "limit": 0})
    build.map_shards(read_shard, shards, params, unit="documents")


def shard_groups(job: ReadJob) -> list[dict[str, Any]]:
    """What each shard reads, by name, path and digest."""
    source = job.reads
    if isinstance(source, PackagesSource):
        return [identity(job)]
    if isinstance(source, HuggingFaceSource):
        return [{"as_of": job.as_of, **identity(job)}]
    files = input_files(source)
    if isinstance(source, SMALL_FILES):
        return [{"files": described(bucket)} for bucket in buckets(files)]
    return [{"files": described([file])} for file in files]


def described(files: list[InputFile]) -> list[list[str]]:
    """Files as JSON."""
    return [[file.name, str(file.path), file.digest] for file in files]


def buckets(files: list[InputFile]) -> list[list[InputFile]]:
    """Small files by the hash of their name, in as many groups as their size asks for."""
    number = 1
    while number * BUCKET_BYTES < sum(file.bytes for file in files):
        number *= 2
    grouped: dict[int, list[InputFile]] = defaultdict(list)
    for file in files:
        digest = hashlib.blake2b(file.name.encode("utf-8", "surrogateescape"), digest_size=8)
        grouped[int.from_bytes(digest.digest(), "little") % number].append(file)
    return [grouped[index] for index in sorted(grouped)]


def read_shard(inputs: list[Path], job: ReadJob, out: ShardOutput) -> None:
    """Reads the files, packages or rows of one shard."""
    tables = DocumentTables(out, job.source, job.reads, out.extra["limit"])
    tables.fill(read_documents(job, out))


def read_documents(job: ReadJob, out: ShardOutput) -> Iterator[Document]:
    """The documents of one shard, before labels."""
    source = job.reads

    def count() -> None:
        out.counts.read += 1

    if isinstance(source, PackagesSource):
        yield from counted(package_documents(source), out)
    elif isinstance(source, HuggingFaceSource):
        rows = dataset_rows(source)
        yield from row_documents(rows, source.columns, source.name, count, out.counts.drop)
    for name, path, _ in out.extra.get("files", []):
        drop = out.counts.drop
        if isinstance(source, WarcSource):
            from tasks.crawl.extract import warc_documents  # a second that other kinds are spared

            assert job.extraction is not None
            yield from warc_documents(Path(path), name, job.extraction, out)
        elif isinstance(source, JsonlSource):
            rows = jsonl_rows(Path(path), drop)
            yield from row_documents(rows, source.columns, name, count, drop)
        elif isinstance(source, ParquetSource):
            rows = parquet_rows(Path(path), source.columns, name, drop)
            yield from row_documents(rows, source.columns, name, count, drop)
        else:
            yield from counted(file_documents(job, name, Path(path), drop), out)


def counted(documents: Iterator[Document], out: ShardOutput) -> Iterator[Document]:
    """The same documents, each counted as read."""
    for document in documents:
        out.counts.read += 1
        yield document


def file_documents(
    job: ReadJob, name: str, path: Path, drop: Callable[[str], None]
) -> Iterator[Document]:
    """The one document of a text, HTML or source file; none, when that was counted."""
    source = job.reads
    try:
        if isinstance(source, StdlibSource):
            yield source_document(path, name)
        elif isinstance(source, TextSource):
            yield text_document(path, source.base_url + name)
    except UnreadableError as error:
        drop(str(error))
    if isinstance(source, HtmlSource):
        from tasks.crawl.html_text import NoTextError, page_text  # as above

        assert job.extraction is not None
        url = source.base_url + name
        try:
            found = page_text(path.read_bytes(), url, "", "", job.extraction)
        except NoTextError as error:
            drop(str(error))
            return
        yield Document(
            found.text,
            url,
            language=found.language,
            licence=found.licence,
            metadata=found.metadata,
        )
