"""Decide: scores and limits -> `00000.parquet` with a decision on every document, row by row.

`counts.extra["failing"]` tells how many documents fail each rule, be it their first or not.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.quality import QualityRules
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.documents import DECISION_SCHEMA, count_reasons
from storage.shards import Shard, ShardOutput
from storage.tables import read_table
from tasks.quality.rules import decide


def decide_documents(build: Build, scores: ArtifactRef, rules: QualityRules) -> None:
    """Decide on every document of one source.

    Raises:
        ValueError: when no document is kept, with the funnel.
    """
    files = build.files(scores)
    shards = [Shard(entry.name.removesuffix(".parquet"), (entry,)) for entry in files]
    build.map_shards(decide_shard, shards, rules)
    if not build.counts.kept:
        raise ValueError(f"{build.label} keeps nothing: {build.counts}")


def decide_shard(inputs: list[Path], rules: QualityRules, out: ShardOutput) -> None:
    """Decide on one file of documents."""
    scores = read_table(inputs[0])
    decided = decide(scores, rules)
    reason = pa.array(decided.reason, pa.string())
    table = pa.table(
        {
            "id": scores["id"],
            "kept": pc.equal(reason, ""),
            "reason": reason,
            "duplicate_of": pa.repeat("", scores.num_rows),
            "similarity": np.zeros(scores.num_rows, np.float32),
        }
    )
    out.add_table(f"{out.name}.parquet", table, DECISION_SCHEMA)
    out.counts.read += scores.num_rows
    out.counts.kept += pc.sum(table["kept"]).as_py() or 0
    for name, number in count_reasons(table).items():
        out.counts.drop(name, number)
    out.counts.extra["failing"] = decided.num_failing
