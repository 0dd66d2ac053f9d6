"""Weighs the sources against each other.

token shards of every source -> weights.json: {source: {weight, train_tokens, epochs}}
"""

from collections.abc import Mapping
from dataclasses import asdict

from pipeline_config.mixture import MixtureConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from tasks.mixture.weights import mix, repeated_too_often


def weigh(
    build: Build, tokens: Mapping[str, ArtifactRef], config: MixtureConfig, num_tokens: int
) -> None:
    """Writes the weights of all sources for a training of `num_tokens` tokens."""
    train_tokens = {
        source: int(build.manifest(ref).counts.extra["train"]["tokens"])
        for source, ref in tokens.items()
    }
    shares = mix(train_tokens, config, num_tokens)
    warnings = repeated_too_often(shares, config.max_epochs)
    for warning in warnings:
        build.log(warning)
    table = {source: asdict(share) for source, share in shares.items()}
    build.counts.read = len(shares)
    build.counts.kept = sum(share.weight > 0 for share in shares.values())
    build.counts.drop("weight 0", build.counts.read - build.counts.kept)
    build.counts.extra |= {"num_tokens": num_tokens, "sources": table, "warnings": warnings}
    build.add_json("weights.json", table)
