"""The chat model: the base model, fine-tuned on conversations.

base model, instructions ─► sft
"""

from flows.build_instructions import build_instructions
from flows.build_mixture import build_mixture
from flows.pretrain import pretrain_base
from flows.refresh_corpus import refresh_corpus
from pipeline_config.pipeline import PipelineConfig
from storage.artifact import ArtifactRef
from storage.session import made_so_far
from tasks.report.task import report
from tasks.sft.task import sft


def align(config: PipelineConfig, base: ArtifactRef, conversations: ArtifactRef) -> ArtifactRef:
    """The chat model."""
    return sft(base, conversations, config.sft)


def compose(config: PipelineConfig) -> None:
    """The flow."""
    corpus = refresh_corpus(config)
    mixture = build_mixture(config, corpus)
    base = pretrain_base(config, mixture)
    align(config, base, build_instructions(config, corpus, mixture))
    report(made_so_far(), config.report)
