"""Settings of fastText classifiers: what they learn from, and which documents pass by their score.

A classifier is defined once; what its score decides differs by source:

    quality:
      classifiers:
        prose:
          positives: {paths: [good.jsonl.gz]}
          negatives: {sources: [web]}
          pin: 2026-11
      classifier_limits: {keep_share: {prose: 0.1}}

One that tells toxic texts apart is trained by the same means, and limited by `max_score`.
"""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from pipeline_config.base import StageConfig

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Score = Annotated[float, Field(ge=0.0, le=1.0)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]


class Examples(StageConfig):
    """The texts of one class: documents of sources, rows of files, or both."""

    sources: tuple[str, ...] = Field(
        default=(),
        description="sources of the crawl; those of their documents that pass the other rules",
    )
    paths: tuple[str, ...] = Field(
        default=(),
        description="files or patterns: .jsonl (also .gz or .zst) and .parquet with a text per "
        "row, .txt and .md with one text",
    )
    column: str = Field(
        default="text", min_length=1, description="of the rows: the column with the text"
    )
    where: dict[str, str | bool | int] = Field(
        default_factory=dict,
        description="of the rows: only those with these values, compared as text: {label: 1}",
    )

    @property
    def is_given(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.sources or self.paths)


class FastTextConfig(StageConfig):
    """Joulin et al. 2016, with the numbers of DCLM (Li et al. 2024) and fastText's defaults."""

    learning_rate: float = Field(default=0.1, gt=0.0, le=10.0, description="falls to 0 linearly")
    num_epochs: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="passes over the examples; a few hundred examples need more (25, with a "
        "learning rate of 0.5)",
    )
    dimensions: int = Field(default=100, ge=1, le=2000, description="numbers per word vector")
    word_ngrams: int = Field(default=2, ge=1, le=5, description="longest run of words that counts")
    min_count: int = Field(default=1, ge=1, description="occurrences of a word, at least")
    buckets: int = Field(
        default=2_000_000,
        ge=1,
        le=100_000_000,
        description="vectors that all n-grams share by hash; the model has 4 bytes x dimensions x "
        "(buckets + words): 0.8 GB by default, in the store and in each worker",
    )
    threads: int = Field(
        default=1,
        ge=1,
        le=256,
        description="of training; with more than one, no two trainings are the same",
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="of the first vectors")


class ClassifierConfig(StageConfig):
    """A classifier: trained on examples of two classes, or given as a file."""

    positives: Examples = Examples()
    negatives: Examples = Examples()
    model: str | None = Field(
        default=None,
        description="a fastText model's file to use instead of training; the examples, if any, "
        "then only measure it",
    )
    positive_label: str = Field(
        default="__label__positive",
        min_length=1,
        description="of the model's labels, the one whose probability is the score",
    )
    max_examples: int = Field(
        default=200_000, ge=2, description="texts per class, at most; DCLM's number"
    )
    heldout_share: float = Field(
        default=0.1, gt=0.0, le=0.5, description="share of the examples that only measure"
    )
    fasttext: FastTextConfig = FastTextConfig()
    seed: int = Field(default=0, ge=0, lt=2**32, description="of the choice of examples")
    pin: str = Field(
        default="",
        pattern=r"^[a-z0-9._-]*$",
        max_length=60,
        description="a name, such as 2026-11, under which the classifier and its cut-offs are "
        "kept: later runs use them whatever their documents, until this name or a setting "
        "changes; empty: trained again whenever the examples change",
    )

    @model_validator(mode="after")
    def _check_examples(self) -> Self:
        given = self.positives.is_given, self.negatives.is_given
        if given[0] != given[1] or (self.model is None and not any(given)):
            wanted = "positives" if given[1] else "negatives"
            raise ValueError(
                f"{wanted} has neither sources nor paths; a classifier needs examples of both "
                "classes, or a model"
            )
        return self

    @property
    def sources(self) -> list[str]:
        """The sources whose documents are examples, sorted."""
        return sorted({*self.positives.sources, *self.negatives.sources})

    def unpinned(self) -> Self:
        """All that the classifier itself depends on."""
        return self.model_copy(update={"pin": ""})


class ClassifierLimits(StageConfig):
    """Which documents pass by the scores of classifiers; none is limited by default."""

    enabled: bool = Field(default=True, description="whether these rules decide at all")
    min_score: dict[Name, Score] = Field(
        default_factory=dict, description="by classifier: least score, 0 to 1"
    )
    max_score: dict[Name, Score] = Field(
        default_factory=dict, description="by classifier: greatest score, as for toxicity"
    )
    keep_share: dict[Name, Share] = Field(
        default_factory=dict,
        description="by classifier: share of a source's documents to keep, of those that pass all "
        "other rules; the best",
    )

    @property
    def names(self) -> list[str]:
        """The classifiers that decide, sorted."""
        every = {*self.min_score, *self.max_score, *self.keep_share}
        return sorted(every) if self.enabled else []
