"""Find-boilerplate: kept documents of a source -> the lines that stand on many of its pages.

`lines.parquet` has the hash of each such line and the number of pages, in order of the hashes. The
shards count their own pages; only what they count, 12 bytes per different line, comes together.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.edits import RepeatedLineRules
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.documents import kept_rows
from storage.shards import Shard, ShardOutput
from storage.tables import read_table

COUNTS = pa.schema([("line", pa.int64()), ("pages", pa.int64())])


def find_boilerplate(
    build: Build, documents: ArtifactRef, decisions: ArtifactRef, rules: RepeatedLineRules
) -> None:
    """Find the lines on at least `rules.min_pages` pages."""
    pairs = zip(build.files(documents), build.files(decisions), strict=True)
    shards = [Shard(ours.name.removesuffix(".parquet"), (ours, theirs)) for ours, theirs in pairs]
    counted = build.map_shards(count_shard, shards, rules)
    tables = [read_table(build.store.blob_path(entry)) for entry in counted]
    total = pa.concat_tables(tables).group_by("line").aggregate([("pages", "sum")])
    total = total.rename_columns(["line", "pages"]).sort_by("line")
    common = total.filter(pc.greater_equal(total["pages"], rules.min_pages or 0))
    build.add_table("lines.parquet", common, COUNTS)
    build.counts.extra["boilerplate_lines"] = common.num_rows


def count_shard(inputs: list[Path], rules: RepeatedLineRules, out: ShardOutput) -> None:
    """Count on how many pages of one file each line stands."""
    from tasks.quality.lines import lines_of

    texts = kept_rows(*inputs, columns=["text"])["text"].to_pylist()
    lines = [name for text in texts for name in {line for _, _, line in lines_of(text, rules)}]
    names, pages = np.unique(np.array(lines, np.int64), return_counts=True)
    out.add_table(f"_counts/{out.name}.parquet", pa.table({"line": names, "pages": pages}), COUNTS)
    out.counts.read += len(texts)
    out.counts.kept += len(texts)
