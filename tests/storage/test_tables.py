import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.tables import read_table, rows_digest, write_table

SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("score", pa.float64()),
        ("flag", pa.bool_()),
        ("tags", pa.list_(pa.int32())),
    ]
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.none() | st.text(st.characters(codec="utf-8"), max_size=8),
            "score": st.none() | st.floats(allow_nan=False),
            "flag": st.none() | st.booleans(),
            "tags": st.none() | st.lists(st.integers(-9, 9), max_size=3),
        }
    ),
    max_size=8,
)


def in_chunks(table: pa.Table, cut: int) -> pa.Table:
    return pa.concat_tables([table.slice(0, cut), table.slice(cut)])


@given(rows, st.integers(0, 8))
def test_chunks_and_slices_leave_the_digest_alone(values: list[dict], cut: int) -> None:
    table = pa.Table.from_pylist(values, SCHEMA)
    assert rows_digest(in_chunks(table, cut)) == rows_digest(table)
    rest = pa.Table.from_pylist(values[cut:], SCHEMA)
    assert rows_digest(table.slice(cut)) == rows_digest(rest)


@given(rows, rows)
def test_different_rows_have_different_digests(one: list[dict], other: list[dict]) -> None:
    def digest(values: list[dict]) -> str:
        return rows_digest(pa.Table.from_pylist(values, SCHEMA))

    same = [{**r, "score": r["score"] and r["score"] + 0.0} for r in one] == [
        {**r, "score": r["score"] and r["score"] + 0.0} for r in other
    ]
    assert (digest(one) == digest(other)) == same


def test_equal_tables_give_equal_files(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", "b", "a"], "score": [0.0, 1.0, 2.0]})
    variants = [
        table,
        in_chunks(table, 1),
        pa.table({"text": table["text"].dictionary_encode(), "score": [-0.0, 1.0, 2.0]}),
        table.replace_schema_metadata({"pandas": "x"}),
    ]
    digests, contents = set(), set()
    for index, variant in enumerate(variants):
        path = tmp_path / f"{index}.parquet"
        digests.add(write_table(path, variant, table.schema))
        contents.add(path.read_bytes())
    assert len(digests) == 1
    assert len(contents) == 1


@settings(max_examples=20)
@given(rows)
def test_a_written_table_reads_back(values: list[dict]) -> None:
    import tempfile

    table = pa.Table.from_pylist(values, SCHEMA)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        digest = write_table(path, table)
        assert rows_digest(read_table(path)) == digest
        assert pq.read_metadata(path).num_rows == len(values)


def test_the_order_of_rows_counts() -> None:
    values = list(range(100))
    random.Random(0).shuffle(values)
    assert rows_digest(pa.table({"x": values})) != rows_digest(pa.table({"x": sorted(values)}))
