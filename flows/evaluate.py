"""How good the models are: held-out tasks before and after fine-tuning, beside two baselines.

instructions ─► evaluate-baselines ─► evaluate-chat (before, after)
"""

from flows.align import align
from flows.build_instructions import build_instructions
from flows.build_mixture import build_mixture
from flows.pretrain import pretrain_base
from flows.refresh_corpus import refresh_corpus
from pipeline_config.pipeline import PipelineConfig
from storage.artifact import ArtifactRef
from storage.session import made_so_far
from tasks.evaluation.task import evaluate_baselines, evaluate_chat
from tasks.report.task import report


def evaluate(
    config: PipelineConfig, base: ArtifactRef, chat: ArtifactRef, conversations: ArtifactRef
) -> None:
    """Accuracy and samples of the model before and after fine-tuning."""
    settings = config.evaluation.chat
    baselines = evaluate_baselines(conversations, settings)
    evaluate_chat(base, conversations, baselines, settings, label="before")
    evaluate_chat(chat, conversations, baselines, settings, label="after")


def compose(config: PipelineConfig) -> None:
    """The flow."""
    corpus = refresh_corpus(config)
    mixture = build_mixture(config, corpus)
    base = pretrain_base(config, mixture)
    conversations = build_instructions(config, corpus, mixture)
    evaluate(config, base, align(config, base, conversations), conversations)
    report(made_so_far(), config.report)
