"""Decide: scores and limits -> `00000.parquet` with a decision on every document, row by row.

A share to keep has become a least score before (`find-cutoff`).
`counts.extra["failing"]` tells how many documents fail each rule, be it their first or not, and
`counts.extra["limits"]` at which signal a rule looks, and from what to what it lets pass.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.quality import QualityRules
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.documents import DECISION_SCHEMA, count_reasons
from storage.shards import Shard, ShardOutput
from tasks.quality.class_scores import CUTOFF, with_classes
from tasks.quality.rules import Limit, decide, limits


def decide_documents(
    build: Build,
    scores: ArtifactRef,
    classes: dict[str, ArtifactRef],
    cutoffs: dict[str, ArtifactRef],
    rules: QualityRules,
) -> None:
    """Decide on every document of one source; `classes` and `cutoffs` are by classifier.

    Raises:
        ValueError: when no document is kept, with the funnel.
    """
    names = sorted(classes)
    files = zip(build.files(scores), *(build.files(classes[name]) for name in names), strict=True)
    shards = [Shard(entries[0].name.removesuffix(".parquet"), entries) for entries in files]
    least = {
        name: float(json.loads(build.path(ref, CUTOFF).read_bytes())["min_score"])
        for name, ref in sorted(cutoffs.items())
    }
    rules = with_cutoffs(rules, least)
    build.map_shards(decide_shard, shards, {"rules": rules, "classifiers": names})
    build.counts.extra["limits"] = {
        limit.reason: {"signal": limit.signal, "from": limit.at_least, "to": limit.at_most}
        for limit in [Limit("language_other", "language"), *limits(rules)]
    }
    if not build.counts.kept:
        raise ValueError(f"{build.label} keeps nothing: {build.counts}")


def with_cutoffs(rules: QualityRules, cutoffs: Mapping[str, float]) -> QualityRules:
    """Return the rules with shares replaced by scores; the stricter limit counts."""
    limits = rules.classifier_limits
    least = dict(limits.min_score)
    for name, score in cutoffs.items():
        least[name] = max(score, least.get(name, score))
    limits = limits.model_copy(update={"min_score": least, "keep_share": {}})
    return rules.model_copy(update={"classifier_limits": limits})


def decide_shard(inputs: list[Path], params: dict[str, Any], out: ShardOutput) -> None:
    """Decide on one file of documents."""
    classes = dict(zip(params["classifiers"], inputs[1:], strict=True))
    scores = with_classes(inputs[0], classes)
    decided = decide(scores, params["rules"])
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
