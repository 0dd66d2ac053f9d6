"""The records of selected pages: each is one byte range of a crawl's WARC file, copied as it is."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.crawl.page_index import IndexedPage
from tasks.crawl.portions import PortionOutput
from tasks.crawl.record_origins import ORIGINS_SUFFIX, save_origins
from tasks.crawl.remote import Remote
from tasks.crawl.warc_checks import DamageError, check_record, unpack_record


def fetch_records(remote: Remote, pages: Sequence[IndexedPage], out: PortionOutput) -> None:
    """Writes the pages' records to one WARC file, and where they are from to a table.

    A record that comes twice with another content than its digest says is dropped as
    `damaged_record`. What a killed run wrote is kept.
    """
    target, journal = out.folder / "records", out.folder / "records.jsonl"
    origins = _resume(target, journal)
    with target.open("ab") as file, journal.open("a", encoding="utf-8") as lines:
        for index, page in enumerate(pages):
            if index < len(origins):
                continue
            record = intact_record(remote, page)
            origin = None
            if record is not None:
                origin = [file.tell(), page.url, page.warc_file, page.offset, page.length]
                file.write(record)
                file.flush()
            origins.append(origin)
            lines.write(json.dumps([file.tell(), origin]) + "\n")
            lines.flush()
            out.tell(len(origins))
    kept = [origin for origin in origins if origin is not None]
    out.counts.kept = len(kept)
    for page, origin in zip(pages, origins, strict=True):
        if origin is None:
            out.counts.drop("damaged_record", example=page.url)
    if kept:
        out.add_file(".warc.gz", target)
        path = out.folder / "origins.parquet"
        digest = save_origins(kept, path)
        out.add_file(ORIGINS_SUFFIX, path, rows=len(kept), digest=digest)


def intact_record(remote: Remote, page: IndexedPage) -> bytes | None:
    """The packed record of a page, or None when it came damaged twice."""
    for _ in range(2):
        data = remote.read(page.warc_file, page.offset, page.length)
        try:
            check_record(unpack_record(data), page.digest)
        except DamageError:
            continue
        return data
    return None


def _resume(target: Path, journal: Path) -> list[list[Any] | None]:
    """The origins of the records that are there whole; what was torn is cut off."""
    origins: list[list[Any] | None] = []
    end, whole = 0, 0
    size = target.stat().st_size if target.exists() else 0
    for line in journal.read_bytes().splitlines(keepends=True) if journal.exists() else []:
        try:
            position, origin = json.loads(line)
        except ValueError:
            break
        if position > size or not line.endswith(b"\n"):
            break
        origins.append(origin)
        end, whole = position, whole + len(line)
    for path, length in ((target, end), (journal, whole)):
        if path.exists():
            with path.open("r+b") as file:
                file.truncate(length)
    return origins
