"""A file of selected records that a kill leaves anywhere is finished to the same bytes."""

import hashlib
import json
from pathlib import Path

import pytest

from storage.tables import read_table
from tasks.crawl.page_index import IndexedPage
from tasks.crawl.page_records import fetch_records
from tasks.crawl.portions import PortionOutput
from tasks.crawl.remote import Remote
from tests.tasks.crawl.sites import Record, page, warc_bytes

FILE = "crawl-data/CC-0.warc.gz"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local copy with one file of five records."""
    folder = tmp_path_factory.mktemp("copy")
    (folder / "crawl-data").mkdir()
    (folder / FILE).write_bytes(b"".join(records()))
    return folder


def records() -> list[bytes]:
    return [warc_bytes([Record(f"http://a.org/{n}", page(f"{n}").encode())]) for n in range(5)]


def pages() -> list[IndexedPage]:
    found, offset = [], 0
    for number, record in enumerate(records()):
        digest = "" if number != 2 else "SOMEOTHERDIGEST"
        found.append(IndexedPage(f"http://a.org/{number}", "", digest, FILE, offset, len(record)))
        offset += len(record)
    return found


def fetch(copy: Path, folder: Path) -> PortionOutput:
    out = PortionOutput("00000", folder, lambda done: None)
    with Remote(copy.as_uri() + "/", retries=0) as remote:
        fetch_records(remote, pages(), out)
    return out


def test_records_are_copied_and_their_places_kept(copy: Path, tmp_path: Path) -> None:
    out = fetch(copy, tmp_path)
    assert (out.counts.kept, out.counts.dropped) == (4, {"damaged_record": 1})
    assert out.counts.examples == {"damaged_record": ["http://a.org/2"]}
    (name, path, rows, _), (table_name, table, table_rows, _) = out.files
    assert (name, rows) == ("00000.warc.gz", 0)
    assert (table_name, table_rows) == ("00000.origins.parquet", 4)
    content = path.read_bytes()
    assert content == b"".join(record for n, record in enumerate(records()) if n != 2)
    for row in read_table(table).to_pylist():
        place = pages()[int(row["url"][-1])]
        assert (row["warc_file"], row["warc_offset"]) == (FILE, place.offset)
        assert content[row["offset"] :].startswith(records()[int(row["url"][-1])])


def test_a_kill_at_any_byte_changes_nothing(copy: Path, tmp_path: Path) -> None:
    fetch(copy, tmp_path)
    record_bytes = (tmp_path / "records").read_bytes()
    lines = (tmp_path / "records.jsonl").read_bytes()
    expected = hashlib.sha256(record_bytes).hexdigest()
    ends = [0, *(json.loads(line)[0] for line in lines.splitlines())]
    line_ends = [n + 1 for n, byte in enumerate(lines) if byte == ord("\n")]
    for kept_lines in [0, 1, *line_ends[:4], line_ends[2] - 1, line_ends[3] + 5]:
        whole = sum(end <= kept_lines for end in line_ends)
        # A record is written before its line, so the file is at least that long, or longer.
        for kept_bytes in {ends[whole], ends[whole] + 3, ends[min(whole + 1, 5)]}:
            (tmp_path / "records").write_bytes(record_bytes[:kept_bytes])
            (tmp_path / "records.jsonl").write_bytes(lines[:kept_lines])
            out = fetch(copy, tmp_path)
            assert hashlib.sha256((tmp_path / "records").read_bytes()).hexdigest() == expected
            assert (tmp_path / "records.jsonl").read_bytes() == lines
            assert out.counts.kept == 4


def test_records_that_a_crash_of_the_machine_lost_are_fetched_again(
    copy: Path, tmp_path: Path
) -> None:
    fetch(copy, tmp_path)
    content = (tmp_path / "records").read_bytes()
    (tmp_path / "records").write_bytes(content[:100])
    fetch(copy, tmp_path)
    assert (tmp_path / "records").read_bytes() == content
