import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline_config.classifier import ClassifierConfig, Examples
from tasks.quality.example_files import identity, read_examples

ROWS = [{"text": "good one", "label": 1}, {"text": "bad one", "label": "0"}, {"label": 1}]


def read(**examples: object) -> tuple[list[str], list[str]]:
    dropped: list[str] = []
    return list(read_examples(Examples.model_validate(examples), dropped.append)), dropped


def test_rows_are_read_by_column_and_value(tmp_path: Path) -> None:
    data = "".join(json.dumps(row) + "\n" for row in ROWS) + "{broken\n[]\n\n"
    with gzip.open(tmp_path / "rows.jsonl.gz", "wt") as file:
        file.write(data)
    found = read(paths=[f"{tmp_path}/*.gz"], where={"label": 1})
    assert found == (["good one"], ["no_text", "broken_line", "broken_line"])
    assert read(paths=[str(tmp_path / "rows.jsonl.gz")], where={"label": "0"})[0] == ["bad one"]


def test_tables_and_texts_are_read(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"body": ["a", None, "b"], "toxic": [True, True, False]}), tmp_path / "t.parquet"
    )
    found = read(paths=[str(tmp_path / "t.parquet")], column="body", where={"toxic": "true"})
    assert found == (["a"], ["no_text"])
    (tmp_path / "one.txt").write_text("first line\nsecond")
    (tmp_path / "two.md").write_bytes(b"\xff\xfe\xff")
    assert read(paths=[f"{tmp_path}/*.txt", f"{tmp_path}/*.md"]) == (
        ["first line\nsecond"],
        ["not_utf8"],
    )


def test_a_wrong_column_is_named_with_those_there(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(ROWS[0]))
    with pytest.raises(ValueError, match=r"no column 'content'; there are text, label"):
        read(paths=[str(path)], column="content")
    with pytest.raises(ValueError, match=r"no column 'quality'; there are text, label"):
        read(paths=[str(path)], where={"quality": 1})


def test_broken_and_missing_files_are_errors(tmp_path: Path) -> None:
    for name in ("cut.jsonl.gz", "no.parquet"):
        (tmp_path / name).write_bytes(gzip.compress(b"{}\n" * 99)[:20])
        with pytest.raises(ValueError, match=f"{name} cannot be read"):
            read(paths=[str(tmp_path / name)])
    with pytest.raises(ValueError, match="matches no file"):
        read(paths=[f"{tmp_path}/*.txt"])
    (tmp_path / "one.csv").touch()
    with pytest.raises(ValueError, match="is none of"):
        read(paths=[str(tmp_path / "one.csv")])


def test_the_identity_is_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("good")
    (tmp_path / "b.txt").write_text("bad")
    config = ClassifierConfig.model_validate(
        {
            "positives": {"paths": [str(tmp_path / "a.txt")]},
            "negatives": {"paths": [f"{tmp_path}/b*"]},
            "model": str(tmp_path / "a.txt"),
        }
    )
    before = identity(config)
    assert before["positives"] == [before["model"]]
    (tmp_path / "b.txt").write_text("worse")
    after = identity(config)
    assert after["positives"] == before["positives"]
    assert after["negatives"] != before["negatives"]
