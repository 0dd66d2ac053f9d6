"""Settings of deduplication: how documents are fingerprinted, compared, and which one is kept."""

from typing import Any, Literal

from pydantic import Field, model_validator

from pipeline_config.base import StageConfig
from pipeline_config.substring import SubstringConfig

KeepPolicy = Literal["longest", "oldest", "newest", "best_score", "preferred_source"]

MAX_BANDS, MAX_ROWS = 256, 64
CLUSTER_SIMILARITY = 0.5  # or min_similarity where that is less
FOUND_SHARE = 0.99  # of the pairs exactly as similar as required, at least so many are candidates


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


def _most_rows(chosen: dict[str, Any]) -> int:
    """The most rows, hence fewest candidates, with which FOUND_SHARE are found."""
    at: float = chosen["min_similarity"]
    numbers = {rows: _num_bands(chosen["signature"], rows) for rows in range(1, MAX_ROWS + 1)}
    enough = [rows for rows, bands in numbers.items() if 1 - (1 - at**rows) ** bands >= FOUND_SHARE]
    return max(enough, default=1)


def _num_bands(signature: SignatureConfig, num_rows: int) -> int:
    """As many bands as the signature has."""
    return min(signature.num_permutations // num_rows, MAX_BANDS)


class DedupConfig(StageConfig):
    """How duplicates are found and which document of a pair is kept.

    The defaults, 32 bands of 4 rows, find a pair at Jaccard 0.5 with probability 0.87, at 0.6
    with 0.99 and from 0.7 on with 0.9998; verification then decides.
    """

    signature: SignatureConfig = SignatureConfig()
    min_similarity: float = Field(
        default=0.65,
        gt=0.0,
        le=1.0,
        description="least estimated Jaccard similarity of a duplicate, a share from 0 to 1; at "
        "128 entries 0.65 accepts 88 % of the pairs truly at 0.7, 11 % of those at 0.6",
    )
    cluster_similarity: float = Field(
        default_factory=lambda chosen: min(CLUSTER_SIMILARITY, chosen["min_similarity"]),
        gt=0.0,
        le=1.0,
        description="least estimated similarity to a kept document with which one belongs to its "
        "cluster, at most min_similarity; clusters drop nothing, they keep look-alikes on one side "
        "of the held-out split. By default 0.5, with which 99.96 % of the pairs truly at 0.7 or "
        "above end in one cluster",
    )
    num_rows: int = Field(
        default_factory=_most_rows,
        ge=1,
        le=MAX_ROWS,
        description="signature entries per band; more find less. By default the most with which "
        "99 % of the pairs exactly at min_similarity are found: 4 at 0.65",
    )
    num_bands: int = Field(
        default_factory=lambda chosen: max(_num_bands(chosen["signature"], chosen["num_rows"]), 1),
        ge=1,
        le=MAX_BANDS,
        description="bands a signature is cut into; more find more. By default as many as it has: "
        "32 of 128 entries",
    )
    keep: KeepPolicy = Field(
        default="longest",
        description="who survives: the longest text in bytes, the one seen first (oldest) or last "
        "(newest), the one with the greatest keep_score, or the one whose source stands first in "
        "preferred_sources; the longest of equals",
    )
    keep_score: str = Field(
        default="",
        pattern=r"^[a-z0-9_]*$",
        description="the signal for keep: best_score: one of quality's, such as language_score, "
        "or classifier_NAME for the score of a classifier",
    )
    preferred_sources: tuple[str, ...] = Field(
        default=(), description="sources in order of preference, for keep: preferred_source"
    )
    max_compared: int = Field(
        default=200,
        ge=1,
        le=100_000,
        description="kept documents of one bucket that a later one is compared with, the earliest; "
        "bounds the work on pages that share a template",
    )

    substring: SubstringConfig = SubstringConfig()

    @property
    def keep_classifier(self) -> str:
        """The classifier whose score decides who is kept, or nothing."""
        prefix = "classifier_"
        return self.keep_score.removeprefix(prefix) if self.keep_score.startswith(prefix) else ""

    @property
    def keep_signal(self) -> str:
        """The column of the scores that decides who is kept, or nothing."""
        return "score" if self.keep_classifier else self.keep_score

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
    def _check_clusters_hold_duplicates(self) -> "DedupConfig":
        if self.cluster_similarity > self.min_similarity:
            raise ValueError(
                f"cluster_similarity ({self.cluster_similarity}) is above min_similarity "
                f"({self.min_similarity}): a duplicate would not be in the cluster of the document "
                f"it repeats; set cluster_similarity to {self.min_similarity} or less"
            )
        return self

    @model_validator(mode="after")
    def _check_policy(self) -> "DedupConfig":
        for policy, key in (
            ("preferred_source", "preferred_sources"),
            ("best_score", "keep_score"),
        ):
            value = getattr(self, key)
            if (self.keep == policy) != bool(value):
                raise ValueError(
                    f"keep is {self.keep!r} and {key} is {value or 'empty'!r}; keep: {policy} and "
                    f"{key} go together"
                )
        return self
