"""The step `read`: sources that are read where they lie become documents.

Output: `00000.parquet` … in the documents' schema, sorted by id. A large file is a shard of its
own. Small ones share shards by the hash of their name, so that a new file changes one shard; how
many there are is a power of two, which a growing source rarely changes.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
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
from pipeline_config.url_filter import UrlFilter
from storage.build import Build
from storage.shards import Shard, ShardOutput
from tasks.crawl.document_tables import DocumentTables
from tasks.crawl.documents import Document, shares
from tasks.crawl.inputs import ONE_DOCUMENT, InputFile, content, input_files
from tasks.crawl.rows import checked, dataset_rows, require_columns, row_documents
from tasks.crawl.table_files import Drop, file_rows
from tasks.crawl.text_files import (
    UnreadableError,
    package_documents,
    source_document,
    text_document,
)
from tasks.crawl.url_filter import Lists, UrlRules, load_lists

BUCKET_BYTES = 4 << 20  # of small files that share a shard


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
    plain = job.model_copy(update={"reads": reads, "limit": 0, "url_filter": UrlFilter()})
    params = {"job": plain, "rules": UrlRules.of(job.url_filter)}
    build.map_shards(read_shard, shards, params, unit="documents")


def shard_groups(job: ReadJob) -> list[dict[str, Any]]:
    """What each shard reads, by name, path and digest.

    Raises:
        ColumnError: when no file of a table has one of the configured columns.
    """
    source = job.reads
    if isinstance(source, PackagesSource):
        return [content(job)]
    if isinstance(source, HuggingFaceSource):
        return [{"as_of": job.as_of, **content(job)}]
    files = input_files(source, job.limit)
    if isinstance(source, JsonlSource | ParquetSource):
        require_columns(files, source)
    if isinstance(source, ONE_DOCUMENT):
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


def read_shard(inputs: list[Path], params: dict[str, Any], out: ShardOutput) -> None:
    """Reads the files, packages or rows of one shard."""
    job, lists = params["job"], load_lists(params["rules"])
    tables = DocumentTables(out, job.source, job.reads, out.extra["limit"])
    if isinstance(job.reads, WarcSource | HtmlSource):
        tables.fill(page_documents(job, lists, out))  # before extraction, which is what costs
    else:
        tables.fill(filtered(read_documents(job, out), lists, out))


def filtered(documents: Iterator[Document], lists: Lists, out: ShardOutput) -> Iterator[Document]:
    """The same documents without those whose URL is on a list; they are counted."""
    for document in documents:
        if fault := lists.fault(document.url):
            out.counts.drop(fault, example=document.url)
        else:
            yield document


def page_documents(job: ReadJob, lists: Lists, out: ShardOutput) -> Iterator[Document]:
    """The documents of one shard of WARC or HTML files, before labels."""
    from tasks.crawl.extract import warc_documents  # a second that other kinds are spared
    from tasks.crawl.html_files import html_documents

    assert job.extraction is not None
    if isinstance(job.reads, HtmlSource):
        base_url = job.reads.base_url
        pages = ((base_url + name, path) for name, path in readable(out))
        yield from html_documents(pages, job.extraction, lists, out)
    else:
        for name, path in readable(out):
            yield from warc_documents(path, name, job.extraction, lists, out)


def read_documents(job: ReadJob, out: ShardOutput) -> Iterator[Document]:
    """The documents of one shard of anything else, before labels."""
    source, drop = job.reads, out.counts.drop

    def count() -> None:
        out.counts.read += 1

    if isinstance(source, PackagesSource):
        yield from counted(package_documents(source), out)
        return
    if isinstance(source, HuggingFaceSource):  # whose files, if they are here, `datasets` opens
        rows = checked(dataset_rows(source), source.columns, source.name)
        yield from row_documents(rows, source.columns, source.name, count, drop)
        return
    for name, path in readable(out):
        if isinstance(source, JsonlSource | ParquetSource):
            rows = file_rows(path, source, partial(lose_in, name, out))
            yield from row_documents(rows, source.columns, name, count, drop)
        else:
            count()
            yield from file_documents(job, name, path, drop)


def readable(out: ShardOutput) -> Iterator[tuple[str, Path]]:
    """Name and path of a shard's files; those that could not even be hashed are counted."""
    for name, path, digest in out.extra.get("files", []):
        if digest:
            yield name, Path(path)
        else:
            lose(out, "broken_file", example=name)


def lose(out: ShardOutput, reason: str, number: int = 1, /, *, example: str = "") -> None:
    """Counts records that were read, but give nothing to look at."""
    out.counts.read += number
    out.counts.drop(reason, number, example=example)


def lose_in(
    name: str, out: ShardOutput, reason: str, number: int = 1, /, *, example: str = ""
) -> None:
    """Counts records of a file, whose line or row is the `example`."""
    lose(out, reason, number, example=f"{name}, {example}" if example else name)


def counted(documents: Iterator[Document], out: ShardOutput) -> Iterator[Document]:
    """The same documents, each counted as read."""
    for document in documents:
        out.counts.read += 1
        yield document


def file_documents(job: ReadJob, name: str, path: Path, drop: Drop) -> Iterator[Document]:
    """The one document of a text or source file; none, when that was counted."""
    source = job.reads
    try:
        if isinstance(source, StdlibSource):
            yield source_document(path, name)
        elif isinstance(source, TextSource):
            yield text_document(path, source.base_url + name)
    except UnreadableError as error:
        drop(str(error), example=name)
