"""Evaluation sets in files: what is read, what is dropped, and what is refused."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline_config.decontamination import EvaluationSet
from tasks.decontamination.item_files import identity, read_items

ROWS = [
    {"question": {"stem": "Why is the sky blue?"}, "choices": ["Rayleigh", "paint"], "id": 1},
    {"question": {"stem": "What is two plus two?"}, "choices": [], "id": 2},
]


def lines(path: Path, rows: list[Any] = ROWS) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(*paths: Path, **settings: Any) -> tuple[list[tuple[int, str, str]], dict[str, int]]:
    dropped: Counter[str] = Counter()
    one = EvaluationSet(paths=tuple(map(str, paths)), **settings)
    items = [tuple(item) for item in read_items(one, lambda reason: dropped.update([reason]))]
    return items, dict(dropped)


def test_json_lines_by_column_with_inner_names_and_lists(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl")
    assert read(path, columns=("question.stem", "choices")) == (
        [
            (0, "question.stem", "Why is the sky blue?"),
            (0, "choices", "Rayleigh"),
            (0, "choices", "paint"),
            (1, "question.stem", "What is two plus two?"),
        ],
        {},
    )


def test_tables_and_compressed_lines_give_the_same(tmp_path: Path) -> None:
    plain = read(lines(tmp_path / "a.jsonl"), columns=("question.stem",))
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet", columns=("question.stem",)) == plain
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress((tmp_path / "a.jsonl").read_bytes()))
    assert read(tmp_path / "b.jsonl.gz", columns=("question.stem",)) == plain
    with pa.output_stream(str(tmp_path / "c.jsonl.zst"), compression="zstd") as stream:
        stream.write((tmp_path / "a.jsonl").read_bytes())
    assert read(tmp_path / "c.jsonl.zst", columns=("question.stem",)) == plain


@pytest.mark.parametrize(
    ("split", "texts"),
    [
        ("lines", ["One.", "Still one.", "Two."]),
        ("paragraphs", ["One.\nStill one.", "Two."]),
        ("file", ["One.\nStill one.\n\nTwo."]),
    ],
)
def test_text_is_split_as_told(tmp_path: Path, split: str, texts: list[str]) -> None:
    (tmp_path / "a.txt").write_text("\ufeffOne.\nStill one.\n\nTwo.\n")
    items, _ = read(tmp_path / "a.txt", split=split)
    assert [text for _, _, text in items] == texts
    assert [number for number, _, _ in items] == list(range(len(texts)))


def test_broken_rows_are_counted_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"q": "fine"}\nnot json\n["list"]\n{"q": 7}\n{"q": "\xff"}\n\n{"q": "last"}')
    assert read(path, columns=("q",)) == (
        [(0, "q", "fine"), (2, "q", "last")],
        {"broken_line": 3, "no_text": 1},
    )
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00")
    assert read(tmp_path / "b.txt") == ([], {"not_utf8": 1})


def test_columns_that_are_not_there_are_refused_with_those_that_are(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl")
    with pytest.raises(
        ValueError, match=r"a.jsonl has no column 'quest'; there are question, choices, id"
    ):
        read(path, columns=("quest",))
    with pytest.raises(ValueError, match="columns must name what is looked for; there are quest"):
        read(path)


def test_files_that_cannot_be_read_end_the_step(tmp_path: Path) -> None:
    whole = gzip.compress(lines(tmp_path / "a.jsonl").read_bytes() * 50)
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[:-30])
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    for name in ("cut.jsonl.gz", "bad.parquet"):
        with pytest.raises(ValueError, match=f"{name} cannot be read"):
            read(tmp_path / name, columns=("question.stem",))


def test_the_key_holds_contents_in_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        lines(tmp_path / f"{name}.jsonl", [{"q": name}])
    (tmp_path / "readme.rst").write_text("not an item")
    of_folder = identity({"x": EvaluationSet(paths=(str(tmp_path),))})
    of_pattern = identity({"x": EvaluationSet(paths=(f"{tmp_path}/*.jsonl",))})
    assert of_folder == of_pattern
    assert len(of_folder["x"]) == 2
    lines(tmp_path / "a.jsonl", [{"q": "other"}])
    assert identity({"x": EvaluationSet(paths=(str(tmp_path),))}) != of_folder


@pytest.mark.parametrize(
    ("name", "message"), [("gone.jsonl", "matches no file"), ("a.csv", "is none of .jsonl")]
)
def test_paths_that_cannot_be_are_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "a.csv").touch()
    with pytest.raises(ValueError, match=message):
        identity({"x": EvaluationSet(paths=(str(tmp_path / name),))})
