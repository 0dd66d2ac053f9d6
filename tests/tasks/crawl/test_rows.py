import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline_config.sources import Columns, HuggingFaceSource
from tasks.crawl.documents import Document
from tasks.crawl.rows import ColumnError, Row, dataset_rows, jsonl_rows, parquet_rows, row_documents

ROWS = [
    {"text": "one", "meta": {"url": "http://a.org/1", "n": 7}, "lang": "en-US"},
    {"text": "", "meta": {"url": "http://a.org/2"}},
    {"text": None},
    {"text": ["not", "text"], "meta": None},
    {"text": "five", "meta": {"url": None}, "lang": None, "when": "2023-01-02T03:04:05Z"},
]
COLUMNS = Columns(url="meta.url", language="lang", first_seen="when", metadata={"number": "meta.n"})


def documents(rows: Iterator[Row], columns: Columns) -> tuple[list[Document], Counter[str], int]:
    dropped: Counter[str] = Counter()
    counted: list[int] = []
    found = row_documents(
        rows, columns, "f", lambda: counted.append(1), lambda reason: dropped.update([reason])
    )
    return list(found), dropped, len(counted)


def test_rows_become_documents_by_their_columns() -> None:
    found, dropped, counted = documents(iter(ROWS), COLUMNS)
    assert found == [
        Document("one", "http://a.org/1", language="en", metadata={"number": "7"}),
        Document("five", "f#4", first_seen="2023-01-02"),
    ]
    assert dropped == {"no_text": 3}
    assert counted == 5


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            Columns(text="body"),
            r"f has no column 'body' (columns.text); it has text, meta, lang, when",
        ),
        (Columns(url="meta.uri"), "f has no column 'meta.uri' (columns.url); it has text, meta,"),
        (
            Columns(metadata={"page": "page"}),
            "f has no column 'page' (columns.metadata.page); it has text,",
        ),
    ],
)
def test_a_column_that_no_row_has_is_an_error_that_lists_them(
    columns: Columns, message: str
) -> None:
    with pytest.raises(ColumnError) as caught:
        documents(iter(ROWS), columns)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def jsonl(path: Path) -> tuple[list[Row], Counter[str]]:
    dropped: Counter[str] = Counter()
    return list(jsonl_rows(path, lambda reason: dropped.update([reason]))), dropped


def test_json_lines_are_read_plain_and_gzipped_and_broken_ones_counted(tmp_path: Path) -> None:
    lines = [json.dumps(row) for row in ROWS]
    lines[1:1] = [
        '{"text": "torn',
        "[1, 2]",
        "",
        "  ",
        "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
    ]
    content = "\n".join(lines).encode()
    (tmp_path / "a.jsonl").write_bytes(content)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(content))
    for name in ("a.jsonl", "b.jsonl.gz"):
        assert jsonl(tmp_path / name) == (ROWS, {"broken_line": 3})


def test_a_torn_gzip_file_gives_the_rows_before_the_tear(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    many = [{"text": str(number) * 50} for number in range(5_000)]
    path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in many).encode())[:-2_000])
    rows, dropped = jsonl(path)
    assert rows == many[: len(rows)]
    assert 0 < len(rows) < 5_000
    assert dropped["broken_file"] == 1


def parquet(path: Path, columns: Columns) -> tuple[list[Row], Counter[str]]:
    dropped: Counter[str] = Counter()
    return list(parquet_rows(path, columns, "p", lambda reason: dropped.update([reason]))), dropped


def test_parquet_rows_hold_the_wanted_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"body": ["x", None], "a.b": [1, 2], "m": [{"u": "v"}, None], "other": [0, 0]})
    pq.write_table(table, path)
    columns = Columns(text="body", url="m.u", metadata={"n": "a.b"})
    rows, dropped = parquet(path, columns)
    assert rows == [{"body": "x", "m": {"u": "v"}, "a.b": 1}, {"body": None, "m": None, "a.b": 2}]
    assert dropped == {}
    found, _, _ = documents(iter(rows), columns)
    assert found == [Document("x", "v", metadata={"n": "1"})]


def test_a_wrong_parquet_column_is_an_error_and_a_broken_file_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"content": ["x"], "link": ["y"]}), path)
    with pytest.raises(
        ColumnError, match=r"^p has no column 'text' \(columns.text\); it has content, link$"
    ):
        parquet(path, Columns())
    path.write_bytes(path.read_bytes()[:-10])
    assert parquet(path, Columns(text="content")) == ([], {"broken_file": 1})


def test_a_local_data_set_is_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    data = tmp_path / "data"
    data.mkdir()
    (data / "train-0.jsonl").write_text('{"body": "first", "n": 1}\n{"body": "second", "n": 2}\n')
    source: Any = HuggingFaceSource(
        kind="huggingface", name=str(data), columns=Columns(text="body", metadata={"n": "n"})
    )
    found, _, _ = documents(dataset_rows(source), source.columns)
    assert [(d.text, dict(d.metadata)) for d in found] == [
        ("first", {"n": "1"}),
        ("second", {"n": "2"}),
    ]
