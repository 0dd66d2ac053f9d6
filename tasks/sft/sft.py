"""Fine-tunes a chat model: a base model and conversations in, a Hugging Face directory out.

The model trains in a process of its own and leaves checkpoints in the step's work folder, so a
killed run goes on at the last one and ends in the same weights.
"""

from pipeline_config.sft import SftConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.checkpoints import add_model, link_model
from tasks.lm.place import training_place
from tasks.lm.worker import run_worker
from tasks.sft.job import SftJob


def sft(build: Build, base: ArtifactRef, instructions: ArtifactRef, config: SftConfig) -> None:
    """Adds the chat model's files and `training_log.jsonl`; figures go to the counts' extra."""
    job = SftJob(
        config=config,
        place=training_place(config, build.work, build.scratch),
        base=link_model(build, base, build.scratch / "base"),
        conversations=build.path(instructions, "train.jsonl"),
    )
    result = run_worker(
        "tasks.sft.train",
        job,
        job.place.runtime,
        scratch=build.scratch,
        on_progress=build.progress,
        on_log=build.log,
    )
    for reason, number in sorted(result["dropped"].items()):
        build.counts.drop(reason, number)
    build.counts.kept = result["kept"]
    build.counts.read = result["kept"] + sum(result["dropped"].values())
    build.counts.extra.update(result["extra"])
    add_model(build, job.place.output)
