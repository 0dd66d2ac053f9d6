from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.documents import (
    DECISION_SCHEMA,
    EDITED_SCHEMA,
    apply_edits,
    count_reasons,
    document_id,
    is_held_out,
    kept_rows,
)
from storage.tables import write_table


def decisions(ids: list[str], reasons: list[str]) -> pa.Table:
    return pa.table(
        {
            "id": ids,
            "kept": [not reason for reason in reasons],
            "reason": reasons,
            "duplicate_of": [""] * len(ids),
            "similarity": [0.0] * len(ids),
        }
    ).cast(DECISION_SCHEMA)


def test_moving_a_character_between_fields_changes_the_id() -> None:
    assert document_id("ab", "c", "d") != document_id("a", "bc", "d")
    assert document_id("s", "u", "text") == document_id("s", "u", "text")


def test_kept_rows_are_those_that_every_decision_keeps(tmp_path: Path) -> None:
    write_table(tmp_path / "d.parquet", pa.table({"id": ["a", "b", "c"], "text": ["x", "y", "z"]}))
    write_table(tmp_path / "1.parquet", decisions(["a", "b", "c"], ["", "short", ""]))
    write_table(tmp_path / "2.parquet", decisions(["a", "b", "c"], ["", "", "duplicate"]))
    paths = [tmp_path / name for name in ("d.parquet", "1.parquet", "2.parquet")]
    assert kept_rows(*paths).to_pylist() == [{"id": "a", "text": "x"}]
    assert kept_rows(*paths[:2], columns=["text"]).column("text").to_pylist() == ["x", "z"]


def test_edits_come_in_layers_each_on_the_text_before_it(tmp_path: Path) -> None:
    def edited(*edits: list[tuple[int, int, str]]) -> pa.Table:
        spans = [
            [{"start": s, "end": e, "replacement": r, "reason": "x"} for s, e, r in row]
            for row in edits
        ]
        plain = decisions(["a", "b", "c"], ["", "short", ""])
        return plain.append_column("edits", pa.array(spans, EDITED_SCHEMA.field("edits").type))

    texts = ["one two three", "gone", "left alone"]
    write_table(tmp_path / "d.parquet", pa.table({"id": ["a", "b", "c"], "text": texts}))
    write_table(tmp_path / "1.parquet", edited([(0, 4, "")], [(0, 1, "")], []))  # "two three"
    write_table(tmp_path / "2.parquet", edited([(0, 3, "2"), (4, 9, "3")], [], []))
    paths = [tmp_path / name for name in ("d.parquet", "1.parquet", "2.parquet")]
    assert kept_rows(*paths, columns=["text"])["text"].to_pylist() == ["2 3", "left alone"]


def test_decisions_about_other_documents_are_refused(tmp_path: Path) -> None:
    write_table(tmp_path / "d.parquet", pa.table({"id": ["a", "b"], "text": ["x", "y"]}))
    write_table(tmp_path / "1.parquet", decisions(["b", "a"], ["", ""]))
    with pytest.raises(ValueError, match="other documents"):
        kept_rows(tmp_path / "d.parquet", tmp_path / "1.parquet")


def test_reasons_are_counted() -> None:
    table = decisions(["a", "b", "c", "d"], ["", "short", "short", "long"])
    assert count_reasons(table) == {"short": 2, "long": 1}


def test_the_held_out_share_is_met_and_grows_monotonically() -> None:
    names = [f"cluster-{number}" for number in range(4000)]
    held = [name for name in names if is_held_out(name, 7, 0.1)]
    # binomial(4000, 0.1): mean 400, standard deviation 19
    assert abs(len(held) - 400) < 4 * 19
    assert all(is_held_out(name, 7, 0.2) for name in held)
    assert not any(is_held_out(name, 7, 0.0) for name in names)


@given(st.text(max_size=30), st.data())
def test_edits_equal_cutting_by_hand(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2)))
    start, end = cuts
    assert apply_edits(text, [(start, end, "<x>")]) == text[:start] + "<x>" + text[end:]


def test_overlapping_edits_are_refused() -> None:
    with pytest.raises(ValueError, match="overlaps"):
        apply_edits("abcdef", [(0, 3, ""), (2, 4, "")])
