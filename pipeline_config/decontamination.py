"""Settings of decontamination: the evaluation sets that training must not have seen.

What counts as a match can differ for a source, key by key, under `decontamination.sources`.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline_config.base import StageConfig
from pipeline_config.overrides import Overrides

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
    sets: tuple[str, ...] | None = Field(
        default=None, description="the evaluation sets that are looked for; null: all of them"
    )

    @model_validator(mode="after")
    def _check_words(self) -> "MatchConfig":
        if self.min_words > self.ngram_words:
            raise ValueError(
                f"min_words ({self.min_words}) is more than ngram_words ({self.ngram_words}); "
                f"set min_words to {self.ngram_words} or less"
            )
        return self


class MatchRules(StageConfig):
    """When a document of one source counts as contaminated."""

    match: MatchConfig = MatchConfig()


class MatchOverrides(MatchRules, Overrides):
    """The rules in which one source differs: only the keys that are given count."""


class DecontaminationConfig(MatchRules):
    """Which items are kept out of the corpus; nothing is done without a set."""

    sets: dict[Annotated[str, Field(pattern=SET_NAME)], EvaluationSet] = Field(
        default_factory=dict, description="evaluation sets by name"
    )
    sources: dict[str, MatchOverrides] = Field(
        default_factory=dict, description="by source: the keys in which it differs"
    )

    def for_source(self, name: str) -> MatchConfig:
        """Return the rules that hold for one source."""
        overrides = self.sources.get(name)
        return overrides.over(MatchRules(match=self.match)).match if overrides else self.match

    @model_validator(mode="after")
    def _check_sets(self) -> "DecontaminationConfig":
        rules = {"match": self.match}
        rules |= {f"sources.{name}.match": self.for_source(name) for name in self.sources}
        for key, match in rules.items():
            unknown = sorted(set(match.sets or ()) - self.sets.keys())
            if unknown:
                raise ValueError(
                    f"{key}.sets names {unknown[0]!r}, which is none of sets; "
                    f"there are: {', '.join(sorted(self.sets)) or 'none'}"
                )
        return self
