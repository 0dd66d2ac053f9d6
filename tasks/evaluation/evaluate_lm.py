"""Bits per byte of a base model on held-out documents, beside a bigram model's.

tokens of every source, model -> bits_per_byte.json:

    sources: {docs: {model, bigram, documents, left_out, tokens, bytes}, …}
    overall: the same over all sources together

Bits per byte do not depend on the tokenizer: the summed loss of all tokens, over the bytes of the
text. The bigram model counts the training tokens of all sources and predicts the same tokens.
"""

from math import log
from typing import Any

from pipeline_config.evaluation import LmEvaluationConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.checkpoints import link_model
from storage.tokens import split_paths
from tasks.evaluation.jobs import ScoreJob, SourceFiles
from tasks.lm.runtime import resolve_runtime
from tasks.lm.worker import run_worker

ADDED = ("model_nats", "bigram_nats", "tokens", "bytes", "documents", "left_out")


def evaluate_lm(
    build: Build, model: ArtifactRef, tokens: dict[str, ArtifactRef], config: LmEvaluationConfig
) -> None:
    """Adds `bits_per_byte.json`, and its numbers to the counts' extra."""
    sources = [
        SourceFiles(
            name=source,
            dtype=build.manifest(ref).counts.extra["dtype"],
            train=split_paths(build, ref, "train"),
            heldout=split_paths(build, ref, "heldout"),
        )
        for source, ref in sorted(tokens.items())
    ]
    job = ScoreJob(
        runtime=resolve_runtime(config.runtime),
        config=config,
        model=link_model(build, model, build.scratch / "model"),
        sources=sources,
        vocab_size=max(build.manifest(ref).counts.extra["vocab_size"] for ref in tokens.values()),
    )
    found = run_worker(
        "tasks.evaluation.score",
        job,
        job.runtime,
        scratch=build.scratch,
        on_progress=build.progress,
        on_log=build.log,
    )["sources"]
    overall = {key: sum(source[key] for source in found.values()) for key in ADDED}
    table = {
        "sources": {name: describe(source) for name, source in sorted(found.items())},
        "overall": describe(overall),
    }
    build.counts.kept = overall["documents"]
    build.counts.drop("beyond max_tokens_per_source", overall["left_out"])
    build.counts.read = overall["documents"] + overall["left_out"]
    build.counts.extra.update(table)
    build.add_json("bits_per_byte.json", table)


def describe(sums: dict[str, Any]) -> dict[str, float]:
    """One row of the table: 8 bits a byte would be no compression at all.

    100 tokens of ln(2) nats each over 50 bytes are 100 bits, 2 bits per byte.
    """
    return {
        "model": round(sums["model_nats"] / log(2) / sums["bytes"], 6),
        "bigram": round(sums["bigram_nats"] / log(2) / sums["bytes"], 6),
        **{key: sums[key] for key in ("documents", "left_out", "tokens", "bytes")},
    }
