"""The base model: next-token prediction on the mixture.

mixture ─► pretrain ─► evaluate-lm
"""

from flows.build_mixture import Mixture, build_mixture
from flows.refresh_corpus import refresh_corpus
from pipeline_config.pipeline import PipelineConfig
from storage.artifact import ArtifactRef
from storage.session import made_so_far
from tasks.evaluation.task import evaluate_lm
from tasks.pretrain.task import pretrain
from tasks.report.task import report


def pretrain_base(config: PipelineConfig, mixture: Mixture) -> ArtifactRef:
    """The base model; its held-out bits per byte go to the report."""
    base = pretrain(mixture.tokens, mixture.weights, mixture.tokenizer, config.pretrain)
    evaluate_lm(base, mixture.tokens, config.evaluation.lm)
    return base


def compose(config: PipelineConfig) -> None:
    """The flow."""
    pretrain_base(config, build_mixture(config, refresh_corpus(config)))
    report(made_so_far(), config.report)
