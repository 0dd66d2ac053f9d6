"""Gates: what a run must reach before `current/corpus` and `current/chat` point at its results."""

from pydantic import Field

from pipeline_config.base import StageConfig


class PromotionConfig(StageConfig):
    """A gate that does not pass moves no reference; the run itself is complete all the same."""

    max_kept_drift: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="share of documents kept may differ by so much from the current corpus's",
    )
    retired_sources: tuple[str, ...] = Field(
        default=(),
        description="sources of the current corpus that a new one may be without; any other that "
        "is gone, or has no document left, holds the corpus back",
    )
    below_bigram: bool = Field(
        default=True, description="held-out bits per byte below the bigram model's on every source"
    )
    min_overall_z: float = Field(
        default=3.0,
        description="accuracy over the better baseline, in standard errors, over all families",
    )
    max_control_z: float = Field(
        default=3.0,
        description="accuracy over chance with swapped passages, in standard errors: above it, the "
        "model answers from something else than the passage",
    )
    max_accuracy_loss: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="overall accuracy may fall so far below the current chat model's",
    )
