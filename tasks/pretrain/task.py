"""The pretrain stage's step."""

from dataclasses import asdict
from typing import Any

from pipeline_config.pretrain import PretrainConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.steps import step
from tasks.lm.runtime import resolve_training


def _facts(config: PretrainConfig, **_: Any) -> dict[str, Any]:
    return asdict(resolve_training(config))


@step("pretrain", version="1", libraries=("torch", "transformers"), facts=_facts)
def pretrain(
    build: Build,
    tokens: dict[str, ArtifactRef],
    mixture: ArtifactRef,
    tokenizer: ArtifactRef,
    config: PretrainConfig,
) -> None:
    """Trains a base model on a mixture: source -> `tokenize` artifact, and the weights."""
    from tasks.pretrain.pretrain import pretrain as run

    run(build, tokens, mixture, tokenizer, config)
