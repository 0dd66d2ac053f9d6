"""Settings of exact substring deduplication: how long a repeated span is, and memory."""

from pydantic import Field, model_validator

from pipeline_config.base import StageConfig


class SubstringConfig(StageConfig):
    """Which repeated spans are cut out of documents; off by default.

    The default length is the 50 tokens of Lee et al. 2021, in words.
    """

    enabled: bool = Field(default=False, description="whether repeated spans are cut at all")
    min_words: int | None = Field(
        default=50,
        ge=8,
        le=10_000,
        description="words in a row that make a repeated span; null when min_bytes says it",
    )
    min_bytes: int | None = Field(
        default=None,
        ge=50,
        le=100_000,
        description="instead of min_words: UTF-8 bytes in a row, cut down to whole words; with "
        "white space counted as one space",
    )
    min_characters_left: int = Field(
        default=20,
        ge=0,
        le=1_000_000,
        description="a document that is cut to fewer characters is dropped; 20 as in RefinedWeb",
    )
    preferred_sources: tuple[str, ...] = Field(
        default=(),
        description="sources whose copy of a span stays, in order; the others follow by name",
    )
    spared_sources: tuple[str, ...] = Field(
        default=(), description="sources that are neither cut nor compared with the others"
    )
    max_bytes: int = Field(
        default=256_000_000,
        ge=100_000,
        le=2_000_000_000,
        description="bytes of text that one suffix array covers; it takes about 13 bytes of memory "
        "for each. The result does not depend on it",
    )

    @model_validator(mode="after")
    def _check_one_length(self) -> "SubstringConfig":
        if (self.min_words is None) == (self.min_bytes is None):
            raise ValueError(
                f"min_words is {self.min_words} and min_bytes is {self.min_bytes}; "
                "give one of them a number and the other null"
            )
        return self

    @property
    def length(self) -> int:
        """The least length of a span, in words or bytes."""
        return self.min_words or self.min_bytes or 0
