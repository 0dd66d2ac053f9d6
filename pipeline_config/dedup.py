"""Settings of deduplication: how documents are fingerprinted, compared, and which one is kept."""

from typing import Literal

from pydantic import Field, model_validator

from pipeline_config.base import StageConfig
from pipeline_config.substring import SubstringConfig

KeepPolicy = Literal["longest", "oldest", "preferred_source"]


class SignatureConfig(StageConfig):
    """How a document becomes a MinHash signature; a change here reads every text again."""

    shingle_words: int = Field(
        default=5, ge=1, le=50, description="words per shingle; 5 as in FineWeb"
    )
    num_permutations: int = Field(
        default=128,
        ge=16,
        le=1024,
        description="entries of a signature, 4 bytes each; similarities are estimated to "
        "about sqrt(s * (1 - s) / entries): 0.04 at 128",
    )
    seed: int = Field(default=1, ge=0, le=2**32 - 1, description="draws the permutations")


class DedupConfig(StageConfig):
    """How duplicates are found and which document of a pair is kept.

    The defaults, 32 bands of 4 rows, find a pair at Jaccard 0.5 with probability 0.87, at 0.6
    with 0.99 and from 0.7 on with 0.9998; verification then decides.
    """

    signature: SignatureConfig = SignatureConfig()
    num_bands: int = Field(
        default=32, ge=1, le=256, description="bands a signature is cut into; more find more"
    )
    num_rows: int = Field(
        default=4, ge=1, le=64, description="signature entries per band; more find less"
    )
    min_similarity: float = Field(
        default=0.65,
        gt=0.0,
        le=1.0,
        description="least estimated Jaccard similarity of a duplicate, a share from 0 to 1; at "
        "128 entries 0.65 accepts 87 % of the pairs truly at 0.7, 12 % of those at 0.6",
    )
    keep: KeepPolicy = Field(
        default="longest",
        description="who survives: the longest text in bytes, the one first seen, or the one "
        "whose source stands first in preferred_sources (then the longest)",
    )
    preferred_sources: tuple[str, ...] = Field(
        default=(), description="sources in order of preference, for keep: preferred_source"
    )
    max_compared: int = Field(
        default=200,
        ge=1,
        le=100_000,
        description="kept documents of one bucket that a newcomer is compared with, the earliest; "
        "bounds the work on pages that share a template",
    )

    substring: SubstringConfig = SubstringConfig()

    @property
    def of_documents(self) -> "DedupConfig":
        """What the step `dedup` reads: with `substring` as it is by default."""
        return self.model_copy(update={"substring": SubstringConfig()})

    @model_validator(mode="after")
    def _check_bands_fit(self) -> "DedupConfig":
        used, there = self.num_bands * self.num_rows, self.signature.num_permutations
        if used > there:
            raise ValueError(
                f"num_bands ({self.num_bands}) x num_rows ({self.num_rows}) needs {used} signature "
                f"entries, there are {there}; set num_bands to {there // self.num_rows} or less, "
                f"or signature.num_permutations to {used}"
            )
        return self

    @model_validator(mode="after")
    def _check_preferred_sources(self) -> "DedupConfig":
        if (self.keep == "preferred_source") != bool(self.preferred_sources):
            raise ValueError(
                f"keep is {self.keep!r} and preferred_sources is {list(self.preferred_sources)}; "
                "keep: preferred_source and a list of sources go together"
            )
        return self
