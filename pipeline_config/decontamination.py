"""Settings of decontamination: the evaluation sets that training must not have seen."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline_config.base import StageConfig

SET_NAME = r"^[A-Za-z0-9][\w.-]{0,59}$"


class EvaluationSet(StageConfig):
    """The items of one evaluation set, in files."""

    paths: tuple[str, ...] = Field(
        min_length=1,
        description="files, folders or patterns: .jsonl, .parquet, .txt or .md, the first and the "
        "last two also as .gz or .zst",
    )
    columns: tuple[str, ...] = Field(
        default=(),
        description="of JSON lines and tables: the columns whose texts are looked for, such as "
        "question; dots lead inward, and every text of a list counts. Name what identifies an "
        "item, not its options: 'all of the above' is on many pages",
    )
    split: Literal["lines", "paragraphs", "file"] = Field(
        default="lines", description="of text files: what an item is"
    )


class MatchConfig(StageConfig):
    """When a document counts as contaminated."""

    ngram_words: int = Field(
        default=13,
        ge=5,
        le=100,
        description="words in a row that a document and an item have in common; 13 as for GPT-3. "
        "Words are compared without case and punctuation",
    )
    min_words: int = Field(
        default=3,
        ge=1,
        le=100,
        description="items of fewer words are not looked for, and reported; from here up to "
        "ngram_words the whole item must stand in the document",
    )
    min_share: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="least share of an item's n-grams that must stand in a document, from 0 (one "
        "is enough) to 1 (all)",
    )

    @model_validator(mode="after")
    def _check_words(self) -> "MatchConfig":
        if self.min_words > self.ngram_words:
            raise ValueError(
                f"min_words ({self.min_words}) is more than ngram_words ({self.ngram_words}); "
                f"set min_words to {self.ngram_words} or less"
            )
        return self


class DecontaminationConfig(StageConfig):
    """Which items are kept out of the corpus; nothing is done without a set."""

    sets: dict[Annotated[str, Field(pattern=SET_NAME)], EvaluationSet] = Field(
        default_factory=dict, description="evaluation sets by name"
    )
    match: MatchConfig = MatchConfig()
