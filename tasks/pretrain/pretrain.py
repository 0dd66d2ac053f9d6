"""Pretrains a base model: token shards and mixture weights in, a Hugging Face directory out.

The model trains in a process of its own and leaves checkpoints in the step's work folder, so a
killed run goes on at the last one and ends in the same weights.
"""

import json

from pipeline_config.pretrain import PretrainConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.checkpoints import TOKENIZER_FILES, add_model, link_files
from storage.tokens import split_paths
from tasks.lm.place import training_place
from tasks.lm.worker import run_worker
from tasks.pretrain.job import DomainFiles, PretrainJob


def pretrain(
    build: Build,
    tokens: dict[str, ArtifactRef],
    mixture: ArtifactRef,
    tokenizer: ArtifactRef,
    config: PretrainConfig,
) -> None:
    """Adds the base model's files and `training_log.jsonl`; figures go to the counts' extra."""
    weights = json.loads(build.path(mixture, "weights.json").read_text())
    vocab_sizes = {build.manifest(ref).counts.extra["vocab_size"] for ref in tokens.values()}
    if len(vocab_sizes) != 1:
        raise ValueError(
            f"the sources' tokens have vocabularies of {sorted(vocab_sizes)} ids; tokenize all of "
            "them with one tokenizer"
        )
    domains = [
        DomainFiles(
            name=source,
            weight=weights[source]["weight"],
            shards=split_paths(build, ref, "train"),
            dtype=build.manifest(ref).counts.extra["dtype"],
        )
        for source, ref in sorted(tokens.items())
        if weights[source]["weight"] > 0
    ]
    files = [(name, build.path(tokenizer, name)) for name in TOKENIZER_FILES]
    job = PretrainJob(
        config=config,
        place=training_place(config, build.work, build.scratch),
        domains=domains,
        vocab_size=vocab_sizes.pop(),
        tokenizer=link_files(build.scratch / "tokenizer", files),
    )
    figures = run_worker(
        "tasks.pretrain.train",
        job,
        job.place.runtime,
        scratch=build.scratch,
        on_progress=build.progress,
        on_log=build.log,
    )
    build.counts.read = build.counts.kept = config.num_steps * config.batch_rows
    build.counts.extra.update(figures)
    add_model(build, job.place.output)
