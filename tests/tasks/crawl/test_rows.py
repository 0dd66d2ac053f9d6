import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline_config.sources import Columns, HuggingFaceSource, JsonlSource, ParquetSource
from tasks.crawl import table_files
from tasks.crawl.columns import ColumnError, Row
from tasks.crawl.documents import Document, clean_text
from tasks.crawl.inputs import input_files
from tasks.crawl.rows import checked, dataset_rows, require_columns, row_documents
from tasks.crawl.table_files import Drop, jsonl_rows, parquet_rows

ROWS: list[Row] = [
    {"text": "one", "meta": {"url": "http://a.org/1", "n": 7}, "lang": "en-US"},
    {"text": "", "meta": {"url": "http://a.org/2"}},
    {"text": None},
    {"text": ["not", "text"], "meta": None},
    {"text": "five", "meta": {"url": None}, "lang": None, "when": "2023-01-02T03:04:05Z"},
]
COLUMNS = Columns(url="meta.url", language="lang", first_seen="when", metadata={"number": "meta.n"})


def dropping(dropped: Counter[str]) -> Drop:
    def drop(reason: str, number: int = 1, /, *, example: str = "") -> None:
        dropped[reason] += number

    return drop


def documents(rows: Iterator[Row], columns: Columns) -> tuple[list[Document], Counter[str], int]:
    dropped: Counter[str] = Counter()
    counted: list[int] = []
    found = row_documents(rows, columns, "f", lambda: counted.append(1), dropping(dropped))
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
        checked(iter(ROWS), columns, "f")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def zstd(content: bytes) -> bytes:
    compressed: bytes = pa.Codec("zstd").compress(content, asbytes=True)
    return compressed


def jsonl(path: Path) -> tuple[list[Row], Counter[str]]:
    dropped: Counter[str] = Counter()
    return list(jsonl_rows(path, dropping(dropped))), dropped


def test_json_lines_are_read_plain_and_compressed_and_broken_ones_counted(tmp_path: Path) -> None:
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
    (tmp_path / "c.jsonl.zst").write_bytes(zstd(content[:200]) + zstd(content[200:]))  # two frames
    for name in ("a.jsonl", "b.jsonl.gz", "c.jsonl.zst"):
        assert jsonl(tmp_path / name) == (ROWS, {"broken_line": 3})


@pytest.mark.parametrize("compress", [gzip.compress, zstd])
def test_a_torn_file_gives_the_rows_before_the_tear(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "a.jsonl"
    many = [{"text": hashlib.sha256(bytes(number)).hexdigest()} for number in range(5_000)]
    path.write_bytes(compress("\n".join(json.dumps(row) for row in many).encode())[:-50_000])
    rows, dropped = jsonl(path)
    assert rows == many[: len(rows)]
    assert 0 < len(rows) < 5_000
    assert dropped["broken_file"] == 1


def parquet(path: Path, columns: Columns) -> tuple[list[Row], Counter[str]]:
    dropped: Counter[str] = Counter()
    return list(parquet_rows(path, columns, dropping(dropped))), dropped


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


def test_a_table_without_a_column_and_a_broken_one_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"content": ["x", "z"], "link": ["y", "y"]}), path)
    assert parquet(path, Columns()) == ([], {"missing_column": 2})
    path.write_bytes(path.read_bytes()[:-10])
    assert parquet(path, Columns(text="content")) == ([], {"broken_file": 1})


def in_utf8(*values: bytes) -> pa.Array:
    """A column of what is called UTF-8."""
    return pa.array(values, pa.binary()).view(pa.string())


def test_a_value_that_cannot_be_read_costs_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    number = 2_500  # more than one batch
    texts = in_utf8(*(b"caf\xe9" if n in (3, 2_007) else b"text %d" % n for n in range(number)))
    times = pa.array([1 << 60 if n == 5 else 0 for n in range(number)], pa.timestamp("ms"))
    pq.write_table(pa.table({"text": texts, "when": times}), path)
    rows, dropped = parquet(path, Columns(first_seen="when"))
    assert [row["text"] for row in rows] == [
        f"text {n}" for n in range(number) if n not in (3, 5, 2_007)
    ]
    assert dropped == {"broken_row": 3}
    assert parquet(path, Columns())[1] == {"broken_row": 2}


def test_a_table_that_no_one_can_unpack_is_a_broken_file(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["x"] * 9}), path, compression="snappy")
    content = path.read_bytes()
    for at in range(len(content) - 8, 0, -1):  # somewhere in the footer is the number of the codec
        path.write_bytes(content[:at] + b"\x06" + content[at + 1 :])
        if content[at] == 2 and codec(path) == "LZO":
            break
    assert codec(path) == "LZO"  # in the standard, but not in Arrow
    assert parquet(path, Columns()) == ([], {"broken_file": 1})


def codec(path: Path) -> str:
    try:
        return str(pq.read_metadata(path).row_group(0).column(0).compression)
    except (OSError, pa.ArrowException, UnicodeDecodeError):
        return ""


def test_a_name_that_is_not_utf8_is_a_broken_file(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["x"], "naeme": ["y"]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"naeme", b"n\xe4\xe4me"))
    assert parquet(path, Columns()) == ([], {"broken_file": 1})
    source = ParquetSource(kind="parquet", paths=(str(path),))
    assert required(source) == ""  # a broken file says nothing


def test_empty_files_are_counted(tmp_path: Path) -> None:
    for name, content in (("a", b""), ("b", gzip.compress(b"")), ("c", zstd(b""))):
        (tmp_path / name).write_bytes(content)
        assert jsonl(tmp_path / name) == ([], {"empty_file": 1})
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "d")
    assert parquet(tmp_path / "d", Columns()) == ([], {"empty_file": 1})
    (tmp_path / "e").write_bytes(b"")
    assert parquet(tmp_path / "e", Columns()) == ([], {"broken_file": 1})


def test_a_value_nested_as_deep_as_can_be_read_costs_its_row(tmp_path: Path) -> None:
    """Some depth is just small enough to be read, and too large to be written again."""
    path = tmp_path / "a.jsonl"
    depths = range(1, 1_100)
    path.write_text("".join(f'{{"text": "x", "m": {"[" * n}{"]" * n}}}\n' for n in depths))
    rows, dropped = jsonl(path)
    found, lost, counted = documents(iter(rows), Columns(metadata={"m": "m"}))
    assert len(rows) + dropped["broken_line"] == len(depths)
    assert len(found) + lost["broken_row"] == counted == len(rows)
    assert len(found) > 500


def test_a_column_must_be_in_one_file_at_least(tmp_path: Path) -> None:
    tables = {"a": {"body": ["x"]}, "b": {"text": ["y"], "link": ["z"]}}
    for name, table in tables.items():
        pq.write_table(pa.table(table), tmp_path / f"{name}.parquet")
        lines = pa.table(table).to_pylist()
        (tmp_path / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in lines))
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    (tmp_path / "broken.jsonl").write_bytes(b"PAR1")
    for columns, message in (
        (Columns(), ""),
        (Columns(text="body", url="link"), ""),
        (Columns(url="uri"), "no column 'uri' (columns.url); they have body, text, link"),
    ):
        for source in (
            JsonlSource(kind="jsonl", paths=(str(tmp_path),), columns=columns),
            ParquetSource(kind="parquet", paths=(str(tmp_path),), columns=columns),
        ):
            assert message == required(source).partition(" and 1 more have ")[2]


def required(source: JsonlSource | ParquetSource) -> str:
    try:
        require_columns(input_files(source), source)
    except ColumnError as error:
        return str(error)
    return ""


def test_rows_with_half_a_character_become_documents(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "half \\ud800 a pair\\u0000"}\n{"text": "\xff"}\n')
    rows, dropped = jsonl(path)
    [document], _, _ = documents(iter(rows), Columns())
    assert clean_text(document.text) == "half \ufffd a pair"
    assert dropped == {"broken_line": 1}


def test_a_line_without_end_uses_no_memory_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_files, "MAX_LINE_BYTES", 100)
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"text": "x" * size}) for size in (5, 86, 87, 88, 1_000, 5)]
    path.write_text("\n".join(lines))
    rows, dropped = jsonl(path)
    assert [len(row["text"]) for row in rows] == [5, 86, 87, 5]
    assert dropped == {"too_large": 2}
    examples: list[str] = []
    list(jsonl_rows(path, lambda *_, example="": examples.append(example)))
    assert examples == ["line 4", "line 5"]


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
