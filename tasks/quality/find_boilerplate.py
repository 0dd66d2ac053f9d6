"""Find-boilerplate: kept documents of a source -> the lines that stand on many of its pages.

`lines.parquet` has the hashes of such lines, ascending: all that editing reads, so that a known
line on one page more edits nothing again. `pages.parquet` has the number of pages, row by row.

The shards count their own pages, and what they count comes together by ranges of the hashes, which
are uniform: however many pages there are, about ROWS_AT_ONCE of them (under 1 GB, with all that
grouping takes) are in memory, and the common lines.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline_config.edits import RepeatedLineRules
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.documents import kept_rows
from storage.shards import Shard, ShardOutput

COUNTS = pa.schema([("line", pa.int64()), ("pages", pa.int64())])
LINES, PAGES = pa.schema([COUNTS.field("line")]), pa.schema([COUNTS.field("pages")])
HASHES = 2**63  # see `lines.line_hash`
ROWS_AT_ONCE = 2**21


def find_boilerplate(
    build: Build, documents: ArtifactRef, decisions: ArtifactRef, rules: RepeatedLineRules
) -> None:
    """Find the lines on at least `rules.min_pages` pages."""
    pairs = zip(build.files(documents), build.files(decisions), strict=True)
    shards = [Shard(ours.name.removesuffix(".parquet"), (ours, theirs)) for ours, theirs in pairs]
    counted = build.map_shards(count_shard, shards, rules)
    paths = [build.store.blob_path(entry) for entry in counted]
    common = pa.concat_tables(common_lines(paths, rules.min_pages or 0))
    build.add_table("lines.parquet", common, LINES)
    build.add_table("pages.parquet", common, PAGES)
    build.counts.extra["boilerplate_lines"] = common.num_rows


def common_lines(
    paths: list[Path], min_pages: int, rows_at_once: int = ROWS_AT_ONCE
) -> Iterator[pa.Table]:
    """Yield the lines on at least `min_pages` pages of all shards, by ascending hash."""
    num_rows = sum(pq.read_metadata(path).num_rows for path in paths)
    num_ranges = num_rows // rows_at_once + 1
    for number in range(num_ranges):
        least, most = (HASHES * edge // num_ranges for edge in (number, number + 1))
        inside = (pc.field("line") >= least) & (pc.field("line") <= most - 1)
        tables = [pq.read_table(path, filters=inside, partitioning=None) for path in paths]
        total = pa.concat_tables(tables).group_by("line").aggregate([("pages", "sum")])
        total = total.rename_columns(COUNTS.names).sort_by("line")
        yield total.filter(pc.greater_equal(total["pages"], min_pages))


def count_shard(inputs: list[Path], rules: RepeatedLineRules, out: ShardOutput) -> None:
    """Count on how many pages of one file each line stands."""
    from tasks.quality.lines import lines_of

    texts = kept_rows(*inputs, columns=["text"])["text"].to_pylist()
    lines = [name for text in texts for name in {line for _, _, line in lines_of(text, rules)}]
    names, pages = np.unique(np.array(lines, np.int64), return_counts=True)
    out.add_table(f"_counts/{out.name}.parquet", pa.table({"line": names, "pages": pages}), COUNTS)
    out.counts.read += len(texts)
    out.counts.kept += len(texts)
