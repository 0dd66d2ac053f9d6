"""The mixture: documents become tokens, and every source gets its weight.

corpus ─► train-tokenizer ─► tokenize ─► mixture
"""

from dataclasses import dataclass

from flows.refresh_corpus import refresh_corpus
from pipeline_config.pipeline import PipelineConfig
from storage.artifact import ArtifactRef
from storage.session import adopt, current_store, made_so_far
from tasks.mixture.task import mixture
from tasks.report.task import report
from tasks.tokenization.pin import pinned_tokenizer
from tasks.tokenization.task import tokenize, train_tokenizer


@dataclass(frozen=True)
class Mixture:
    """What a base model is trained on."""

    tokenizer: ArtifactRef
    tokens: dict[str, ArtifactRef]
    weights: ArtifactRef


def build_mixture(config: PipelineConfig, corpus: ArtifactRef) -> Mixture:
    """Tokens of every source, and the weights they are drawn with."""
    settings = config.tokenization
    made_before = pinned_tokenizer(current_store(), settings)
    tokenizer = adopt("train-tokenizer", made_before) or train_tokenizer(
        corpus, settings.tokenizer, settings.heldout
    )
    tokens = {
        name: tokenize(corpus, tokenizer, settings.heldout, name, label=name)
        for name in sorted(config.crawl.sources)
    }
    return Mixture(tokenizer, tokens, mixture(tokens, config.mixture, config.pretrain.num_tokens))


def compose(config: PipelineConfig) -> None:
    """The flow."""
    build_mixture(config, refresh_corpus(config))
    report(made_so_far(), config.report)
