"""The steps of this stage: bits per byte, what baselines reach, what a chat model reaches."""

from dataclasses import asdict
from typing import Any

from pipeline_config.evaluation import ChatEvaluationConfig, LmEvaluationConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.steps import step
from tasks.lm.runtime import resolve_runtime


def _facts(config: LmEvaluationConfig | ChatEvaluationConfig, **_: Any) -> dict[str, Any]:
    return asdict(resolve_runtime(config.runtime))


@step("evaluate-lm", version="1", libraries=("torch", "transformers"), facts=_facts)
def evaluate_lm(
    build: Build, model: ArtifactRef, tokens: dict[str, ArtifactRef], config: LmEvaluationConfig
) -> None:
    """Held-out bits per byte of a base model and of a bigram model (source -> tokens)."""
    from tasks.evaluation.evaluate_lm import evaluate_lm as run

    run(build, model, tokens, config)


@step("evaluate-baselines", version="1")
def evaluate_baselines(
    build: Build, instructions: ArtifactRef, config: ChatEvaluationConfig
) -> None:
    """What guessing well reaches on the questions that `evaluate_chat` asks."""
    from tasks.evaluation.baselines import baselines as run

    run(build, instructions, config)


@step("evaluate-chat", version="1", libraries=("torch", "transformers", "tokenizers"), facts=_facts)
def evaluate_chat(
    build: Build,
    model: ArtifactRef,
    instructions: ArtifactRef,
    baselines: ArtifactRef,
    config: ChatEvaluationConfig,
) -> None:
    """Accuracy and samples of one model; once before and once after fine-tuning."""
    from tasks.evaluation.evaluate_chat import evaluate_chat as run

    run(build, model, instructions, baselines, config)
