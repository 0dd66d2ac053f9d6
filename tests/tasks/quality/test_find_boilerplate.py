"""Lines of many pages: what shards counted comes together in ranges of their hashes."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.tables import write_table
from tasks.quality.find_boilerplate import COUNTS, HASHES, common_lines

HASH = st.sampled_from((0, 1, HASHES // 3, HASHES // 2 - 1, HASHES // 2, HASHES - 1))
SHARDS = st.lists(st.dictionaries(HASH, st.integers(1, 9)), min_size=1, max_size=4)


@settings(max_examples=30)
@given(SHARDS, st.integers(1, 30), st.integers(1, 12))
def test_ranges_of_any_width_count_alike(
    shards: list[dict[int, int]], rows_at_once: int, min_pages: int
) -> None:
    total: Counter[int] = Counter()
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.parquet") for number in range(len(shards))]
        for path, pages in zip(paths, shards, strict=True):
            total.update(pages)
            lines = sorted(pages)
            rows = {"line": lines, "pages": [pages[line] for line in lines]}
            write_table(path, pa.table(rows, COUNTS), COUNTS)
        tables = list(common_lines(paths, min_pages, rows_at_once))
    assert len(tables) == sum(map(len, shards)) // rows_at_once + 1
    found = pa.concat_tables(tables).to_pylist()
    assert found == [
        {"line": line, "pages": total[line]} for line in sorted(total) if total[line] >= min_pages
    ]
