"""Settings of the quality filters: what is measured, the limits, and how sources differ.

Measuring and deciding are two steps, so a changed limit measures nothing again. `sources` holds
the differences of single sources, each key over the default above it:

    quality:
      gopher_quality: {min_words: 30}             # every source
      sources:
        code:
          gopher_quality: {min_stop_words: null}  # this source: rule off, min_words is still 30
        french:
          language: {languages: [fr]}
          score: {stop_words: [le, de, et, que]}  # what is counted there for min_stop_words
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline_config.base import StageConfig
from pipeline_config.classifier import ClassifierConfig, ClassifierLimits, Name
from pipeline_config.overrides import Overrides

GOPHER_STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")


class ScoreConfig(StageConfig):
    """What the signals depend on; a change here reads every text again."""

    stop_words: tuple[str, ...] = Field(
        default=GOPHER_STOP_WORDS,
        min_length=1,
        max_length=64,
        description="words whose distinct occurrences are counted, case-sensitive; Gopher's eight",
    )
    short_line_chars: int = Field(
        default=30, ge=0, description="characters of a line that FineWeb calls short, at most"
    )
    language_model: str = Field(
        default="",
        description="file of a fastText model that identifies languages, such as lid.176.bin; if "
        "empty, py3langid does",
    )


class LanguageRules(StageConfig):
    """The languages to keep, as `score.language_model` or py3langid identifies them."""

    enabled: bool = Field(default=True, description="whether these rules decide at all")
    languages: tuple[str, ...] = Field(
        default=("en",),
        min_length=1,
        description="codes of the languages to keep, as the model calls them: ISO 639-1 for "
        "py3langid and lid.176",
    )
    min_score: float | None = Field(
        default=0.65,
        ge=0.0,
        le=1.0,
        description="least probability of the language, 0 to 1; null: no limit",
    )


class GopherQualityRules(StageConfig):
    """Rae et al. 2021, appendix A.1; null switches a rule off."""

    enabled: bool = Field(default=True, description="whether these rules decide at all")
    min_words: int | None = Field(
        default=50, ge=0, description="least words that are more than punctuation"
    )
    max_words: int | None = Field(
        default=100_000, ge=1, description="most words that are more than punctuation"
    )
    min_mean_word_length: float | None = Field(
        default=3.0, ge=0.0, description="characters per word, least mean"
    )
    max_mean_word_length: float | None = Field(
        default=10.0, gt=0.0, description="characters per word, greatest mean"
    )
    max_hash_to_word_ratio: float | None = Field(
        default=0.1, ge=0.0, description="hash signs per word, at most"
    )
    max_ellipsis_to_word_ratio: float | None = Field(
        default=0.1, ge=0.0, description="ellipses per word, at most"
    )
    max_bullet_line_fraction: float | None = Field(
        default=0.9, ge=0.0, le=1.0, description="share of lines that begin with a bullet, at most"
    )
    max_ellipsis_line_fraction: float | None = Field(
        default=0.3, ge=0.0, le=1.0, description="share of lines that end with an ellipsis, at most"
    )
    min_alpha_word_fraction: float | None = Field(
        default=0.8, ge=0.0, le=1.0, description="share of words with a letter, at least"
    )
    min_stop_words: int | None = Field(default=2, ge=0, description="distinct stop words, at least")


class GopherRepetitionRules(StageConfig):
    """Rae et al. 2021, table A1; null switches a rule off. Shares of characters may exceed 1."""

    enabled: bool = Field(default=True, description="whether these rules decide at all")
    max_dup_paragraph_fraction: float | None = Field(
        default=0.30, ge=0.0, description="share of paragraphs seen before, at most"
    )
    max_dup_paragraph_char_fraction: float | None = Field(
        default=0.20, ge=0.0, description="their share of the characters, at most"
    )
    max_dup_line_fraction: float | None = Field(
        default=0.30, ge=0.0, description="share of lines seen before, at most"
    )
    max_dup_line_char_fraction: float | None = Field(
        default=0.20, ge=0.0, description="their share of the characters, at most"
    )
    max_top_2_gram_char_fraction: float | None = Field(
        default=0.20, ge=0.0, description="characters of the commonest 2-gram, at most"
    )
    max_top_3_gram_char_fraction: float | None = Field(
        default=0.18, ge=0.0, description="characters of the commonest 3-gram, at most"
    )
    max_top_4_gram_char_fraction: float | None = Field(
        default=0.16, ge=0.0, description="characters of the commonest 4-gram, at most"
    )
    max_dup_5_gram_char_fraction: float | None = Field(
        default=0.15, ge=0.0, description="characters in repeated 5-grams, at most"
    )
    max_dup_6_gram_char_fraction: float | None = Field(
        default=0.14, ge=0.0, description="characters in repeated 6-grams, at most"
    )
    max_dup_7_gram_char_fraction: float | None = Field(
        default=0.13, ge=0.0, description="characters in repeated 7-grams, at most"
    )
    max_dup_8_gram_char_fraction: float | None = Field(
        default=0.12, ge=0.0, description="characters in repeated 8-grams, at most"
    )
    max_dup_9_gram_char_fraction: float | None = Field(
        default=0.11, ge=0.0, description="characters in repeated 9-grams, at most"
    )
    max_dup_10_gram_char_fraction: float | None = Field(
        default=0.10, ge=0.0, description="characters in repeated 10-grams, at most"
    )


class C4Rules(StageConfig):
    """Raffel et al. 2020, section 2.2, for documents; null switches a rule off.

    Made for web pages in prose: off until asked for.
    """

    enabled: bool = Field(default=False, description="whether these rules decide at all")
    sentences: Literal["marks", "spacing"] = Field(
        default="marks",
        description="what ends a sentence: marks: any run of marks, as datatrove splits text "
        "without a language's rules; spacing: only marks before white space, nearer to its English",
    )
    min_sentences: int | None = Field(
        default=5,
        ge=0,
        description="least sentences in the lines that edits.c4_lines keep; datatrove's number, "
        "C4's code has 3",
    )
    max_lorem_ipsum_lines: int | None = Field(
        default=0, ge=0, description='lines that say "lorem ipsum", at most'
    )
    max_curly_bracket_lines: int | None = Field(
        default=0, ge=0, description='lines with "{", at most'
    )


class FineWebRules(StageConfig):
    """Penedo et al. 2024, section 3.6, with the released filter's numbers; null: a rule is off.

    Made for web pages in prose: off until asked for.
    """

    enabled: bool = Field(default=False, description="whether these rules decide at all")
    version: Literal["v1", "v2"] = Field(
        default="v1",
        description="what counts as a line and a mark: v1: as FineWeb was made; v2: as since "
        "FineWeb-2",
    )
    min_marked_line_fraction: float | None = Field(
        default=0.12, ge=0.0, le=1.0, description="share of lines that end with a mark, at least"
    )
    max_short_line_fraction: float | None = Field(
        default=0.67, ge=0.0, le=1.0, description="share of short lines, at most"
    )
    max_dup_line_char_fraction: float | None = Field(
        default=0.01, ge=0.0, description="characters of repeated lines, share of all, at most"
    )
    max_newline_to_word_ratio: float | None = Field(
        default=0.3, ge=0.0, description="newlines per word, at most"
    )


class QualityRules(StageConfig):
    """Every limit, for one source: what the decision about a document depends on."""

    language: LanguageRules = LanguageRules()
    gopher_quality: GopherQualityRules = GopherQualityRules()
    gopher_repetition: GopherRepetitionRules = GopherRepetitionRules()
    c4: C4Rules = C4Rules()
    fineweb: FineWebRules = FineWebRules()
    classifier_limits: ClassifierLimits = ClassifierLimits()

    def without_classifiers(self) -> "QualityRules":
        """The rules that need no classifier: those under which texts become its examples."""
        return self.model_copy(update={"classifier_limits": ClassifierLimits()})


class ScoreRules(StageConfig):
    """What is measured, for one source."""

    score: ScoreConfig = ScoreConfig()


class QualityOverrides(QualityRules, ScoreRules, Overrides):
    """The settings in which one source differs: only the keys that are given count."""


class QualityConfig(QualityRules, ScoreRules):
    """Quality filtering of all sources."""

    classifiers: dict[Name, ClassifierConfig] = Field(
        default_factory=dict, description="fastText classifiers by name; all score every source"
    )
    sources: dict[str, QualityOverrides] = Field(
        default_factory=dict, description="by source: the settings in which it differs"
    )

    @model_validator(mode="after")
    def _check_limits(self) -> Self:
        every: dict[str, QualityRules] = {"": self}
        every |= {f"sources.{name}.": self.for_source(name) for name in self.sources}
        for prefix, rules in every.items():
            quality = rules.gopher_quality
            _check_range(prefix, "words", quality.min_words, quality.max_words)
            lengths = quality.min_mean_word_length, quality.max_mean_word_length
            _check_range(prefix, "mean_word_length", *lengths)
            for classifier in rules.classifier_limits.names:
                self._check_classifier(prefix, classifier)
        return self

    def _check_classifier(self, prefix: str, name: str) -> None:
        if name not in self.classifiers:
            known = ", ".join(sorted(self.classifiers)) or "none"
            raise ValueError(
                f"{prefix}classifier_limits names {name!r}, which quality.classifiers does not "
                f"define; there are: {known}"
            )

    def for_source(self, name: str) -> QualityRules:
        """Return the limits that hold for one source."""
        groups = {group: getattr(self, group) for group in QualityRules.model_fields}
        defaults = QualityRules(**groups)
        overrides = self.sources.get(name)
        return overrides.over(defaults) if overrides else defaults

    def score_of(self, name: str) -> ScoreConfig:
        """Return what the signals of one source depend on."""
        overrides = self.sources.get(name)
        return overrides.over(ScoreRules(score=self.score)).score if overrides else self.score


def _check_range(prefix: str, name: str, least: float | None, most: float | None) -> None:
    if least is not None and most is not None and least > most:
        raise ValueError(
            f"{prefix}gopher_quality.min_{name} ({least}) is above max_{name} ({most}): no "
            "document can pass; lower the one or raise the other"
        )
