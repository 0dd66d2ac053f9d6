"""The sft stage's step."""

from dataclasses import asdict
from typing import Any

from pipeline_config.sft import SftConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.steps import step
from tasks.lm.runtime import resolve_training


def _facts(config: SftConfig, **_: Any) -> dict[str, Any]:
    return asdict(resolve_training(config))


@step("sft", version="1", libraries=("torch", "transformers", "tokenizers"), facts=_facts)
def sft(build: Build, base: ArtifactRef, instructions: ArtifactRef, config: SftConfig) -> None:
    """Trains a chat model on the assistant's turns of `train.jsonl`."""
    from tasks.sft.sft import sft as run

    run(build, base, instructions, config)
