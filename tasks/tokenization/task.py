"""The steps of this stage: the tokenizer of all sources, then the tokens of each."""

from pipeline_config.tokenization import HeldoutConfig, TokenizerConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.steps import step


@step("train-tokenizer", version="1", libraries=("tokenizers",))
def train_tokenizer(
    build: Build,
    corpus: ArtifactRef,
    config: TokenizerConfig,
    heldout: HeldoutConfig,
) -> None:
    """Byte-level BPE from a sample of the training documents of all sources."""
    from tasks.tokenization.train_tokenizer import train_tokenizer

    train_tokenizer(build, corpus, config, heldout)


@step("tokenize", version="1", libraries=("tiktoken",))
def tokenize(
    build: Build,
    corpus: ArtifactRef,
    tokenizer: ArtifactRef,
    heldout: HeldoutConfig,
    source: str,
) -> None:
    """Token shards of one source of the corpus."""
    from tasks.tokenization.tokenize import tokenize

    tokenize(build, corpus, tokenizer, heldout, source)
