"""Settings of the tokenization stage: the tokenizer, and which documents are held out."""

from pydantic import Field

from pipeline_config.base import StageConfig


class TokenizerConfig(StageConfig):
    """A byte-level BPE tokenizer and the sample it is trained on."""

    vocab_size: int = Field(
        default=32_768,
        ge=300,
        le=1_000_000,
        description="token ids: 3 special tokens, 256 bytes, the rest merges; a corpus with fewer "
        "pairs to merge gives a smaller vocabulary",
    )
    sample_bytes: int = Field(
        default=1_000_000_000,
        ge=1_000,
        description="UTF-8 bytes of training documents it learns from, drawn from every source in "
        "proportion to its size; all of them where there are fewer",
    )
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the draw of documents")


class HeldoutConfig(StageConfig):
    """The held-out split, taken by duplicate cluster: no model ever trains on it."""

    share: float = Field(
        default=0.02, gt=0, le=0.5, description="share of clusters that is held out"
    )
    min_clusters: int = Field(
        default=10,
        ge=1,
        description="at least so many clusters of every source are held out, yet never more than "
        "half of a small source",
    )
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the choice of clusters")


class TokenizationConfig(StageConfig):
    """How texts become tokens, and which of them are held out."""

    pin: str = Field(
        default="",
        pattern=r"^[a-z0-9._-]*$",
        max_length=60,
        description="a name, such as 2026-11, under which the trained tokenizer is kept: later "
        "runs use it whatever their documents, until this name or a tokenizer setting changes; "
        "empty: trained again whenever the documents change",
    )
    tokenizer: TokenizerConfig = TokenizerConfig()
    heldout: HeldoutConfig = HeldoutConfig()
