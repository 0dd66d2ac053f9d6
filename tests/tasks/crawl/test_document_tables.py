from pathlib import Path

import pytest

from pipeline_config.sources import Labels
from storage.shards import ShardOutput
from storage.tables import read_table
from tasks.crawl import document_tables
from tasks.crawl.document_tables import DocumentTables
from tasks.crawl.documents import Document
from tasks.crawl.inputs import InputFile
from tasks.crawl.read import buckets


@pytest.fixture
def out(tmp_path: Path) -> ShardOutput:
    return ShardOutput("00007", None, tmp_path)


def texts(out: ShardOutput) -> dict[str, list[str]]:
    return {
        name: sorted(read_table(path).column("text").to_pylist()) for name, path, _, _ in out.files
    }


def test_documents_are_labelled_cleaned_and_counted(out: ShardOutput) -> None:
    tables = DocumentTables(out, "s", Labels(licence="MIT", url_fields={"n": r"/(\d+)$"}), 0)
    tables.fill(
        [
            Document("a\r\nb\x00", "http://x/1"),
            Document("a\nb", "http://x/1"),
            Document("a\nb", "http://x/two", licence="CC0", metadata={"z": "\ud800", "a": "é"}),
            Document(" \x00 ", "http://x/3"),
        ]
    )
    [(_, path, rows, _)] = out.files
    assert rows == 2
    found = {row["url"]: row for row in read_table(path).to_pylist()}
    assert found["http://x/1"]["text"] == "a\nb"
    assert found["http://x/1"]["metadata"] == '{"n":"1"}'
    assert found["http://x/1"]["licence"] == "MIT"
    assert found["http://x/two"]["licence"] == "CC0"
    assert found["http://x/two"]["metadata"] == '{"a":"é","z":"\ufffd"}'
    assert out.counts.kept == 2
    assert out.counts.dropped == {"repeated": 1, "empty_text": 1}


def test_a_limit_ends_the_reading(out: ShardOutput) -> None:
    def endless() -> object:
        number = 0
        while True:
            yield Document(f"text {number // 2}", "u")
            number += 1

    DocumentTables(out, "s", Labels(), 3).fill(endless())  # type: ignore[arg-type]
    assert texts(out) == {"00007.parquet": ["text 0", "text 1", "text 2"]}


def test_a_large_shard_becomes_several_tables(
    out: ShardOutput, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_tables, "MAX_TABLE_CHARS", 10)
    documents = [Document(str(number) * 4, "u") for number in range(7)]
    DocumentTables(out, "s", Labels(), 0).fill(documents)
    assert texts(out) == {
        "00007.parquet": ["0000", "1111", "2222"],
        "00007-001.parquet": ["3333", "4444", "5555"],
        "00007-002.parquet": ["6666"],
    }


def test_no_document_leaves_no_table(out: ShardOutput) -> None:
    DocumentTables(out, "s", Labels(), 0).fill([Document("", "u")])
    assert out.files == []


def test_small_files_share_shards_that_a_new_file_hardly_moves() -> None:
    def files(count: int, size: int) -> list[InputFile]:
        return [InputFile(f"f{n}.txt", Path(f"f{n}.txt"), size, "") for n in range(count)]

    assert len(buckets(files(100, 1_000))) == 1
    before = buckets(files(100, 1 << 18))  # 25 MiB: 8 shards of 4 MiB
    after = buckets(files(101, 1 << 18))
    assert len(before) == len(after) == 8
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    assert sorted(file.name for group in before for file in group) == sorted(
        file.name for file in files(100, 1)
    )
