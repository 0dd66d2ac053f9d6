"""What a report shows, as plain records: the gathering side fills them, the page draws them.

Every section is optional, because a flow may end before it: a corpus refresh has no model.
Texts in these records are still as crawled; only what draws them makes them safe.
"""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class StepCounts:
    """The funnel of one step, of one source or of all."""

    step: str
    source: str  # "" for a step over all sources
    read: int
    kept: int
    dropped: tuple[tuple[str, int], ...] = ()  # reason, number; most frequent first
    edited: int = 0
    failing: tuple[tuple[str, int], ...] = ()  # rule, documents that fail it, be it first or not
    limits: tuple[tuple[str, str], ...] = ()  # rule, what it asks of which signal
    edits: tuple[tuple[str, int], ...] = ()  # reason, spans that were changed; most frequent first
    facts: tuple[str, ...] = ()  # sentences about a crawl: what changed, what is damaged
    examples: tuple[tuple[str, tuple[str, ...]], ...] = ()  # reason, addresses of some dropped
    unit: str = "document"  # what it counts: a crawl asks for a link, a listed page or a file

    @property
    def num_dropped(self) -> int:
        """All dropped records."""
        return sum(number for _, number in self.dropped)


@dataclass(frozen=True, slots=True)
class SourceFunnel:
    """What became of one source's documents, step after step."""

    source: str
    steps: tuple[StepCounts, ...]

    @property
    def of_documents(self) -> tuple[StepCounts, ...]:
        """The steps that count documents: those after what came from a server."""
        return tuple(step for step in self.steps if step.unit == "document")

    @property
    def documents_in(self) -> int:
        """What the first of them looked at: pages that came, or records of files."""
        return self.of_documents[0].read if self.of_documents else 0

    @property
    def documents_out(self) -> int:
        """What the last of them kept."""
        return self.of_documents[-1].kept if self.of_documents else 0


@dataclass(frozen=True, slots=True)
class DocumentExample:
    """One document, cut to its beginning."""

    id: str
    url: str
    text: str
    note: str = ""  # the figure behind the decision, such as `word_count 31`


@dataclass(frozen=True, slots=True)
class ReasonExamples:
    """Documents that one step dropped for one reason; the reason "" holds kept ones."""

    step: str
    source: str
    reason: str
    number: int  # how many there are, of which `examples` are a few
    examples: tuple[DocumentExample, ...]


@dataclass(frozen=True, slots=True)
class EditExample:
    """One changed span, in what stands around it."""

    id: str
    url: str
    before: str
    cut: str
    replacement: str  # "" where the span was only cut out
    after: str


@dataclass(frozen=True, slots=True)
class ReasonEdits:
    """Spans that one step changed for one reason."""

    step: str
    source: str
    reason: str
    number: int  # how many there are, of which `examples` are a few
    examples: tuple[EditExample, ...]


@dataclass(frozen=True, slots=True)
class LanguageShares:
    """How a source's documents divide among languages."""

    source: str
    documents: int
    languages: tuple[tuple[str, int], ...]  # most frequent first, `other` last


@dataclass(frozen=True, slots=True)
class ScoreLimit:
    """What a least score would keep of held-out examples."""

    min_score: float
    precision: float
    recall: float
    kept_share: float


@dataclass(frozen=True, slots=True)
class HeldOutExamples:
    """How well a classifier tells examples apart that it did not learn from."""

    positive: int
    negative: int
    roc_auc: float
    precision: float  # of those with a score of 0.5 or more, as is the recall
    recall: float
    by_score: tuple[ScoreLimit, ...]


@dataclass(frozen=True, slots=True)
class ClassifiedSource:
    """The scores of one source's documents."""

    source: str
    tenths: tuple[int, ...]  # documents with scores from 0 to 0.1, from 0.1 to 0.2, …
    min_score: float | None = None  # what decides, if this classifier does
    max_score: float | None = None
    passing: int = 0  # documents that passed all other rules, of which a share was to be kept
    kept: int = 0  # of those; more than asked for where documents tie

    @property
    def limited(self) -> bool:
        """Whether this classifier decides on the source."""
        return self.min_score is not None or self.max_score is not None

    def outside(self, tenth: int) -> bool:
        """Whether all scores of a tenth are beyond a limit."""
        low, high = self.min_score, self.max_score
        return (low is not None and (tenth + 1) / 10 <= low) or (
            high is not None and tenth / 10 > high
        )

    def limits_in(self, tenth: int) -> tuple[float, ...]:
        """The limits that lie in a tenth, as shares of its width."""
        limits = (10 * each for each in (self.min_score, self.max_score) if each is not None)
        return tuple(each - tenth for each in limits if min(int(each), 9) == tenth)


@dataclass(frozen=True, slots=True)
class Classifier:
    """One fastText classifier."""

    name: str
    positive: int  # examples that it learnt from; 0 of a model that was given
    negative: int
    heldout: HeldOutExamples | None
    sources: tuple[ClassifiedSource, ...]


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """The items of one evaluation set that were looked for in the documents."""

    name: str
    items: int
    by_ngram: int  # long enough for an n-gram
    whole: int  # shorter: found when all of it stands somewhere
    too_short: int  # not looked for
    found: tuple[tuple[str, int, int], ...]  # source, items found there, documents dropped for it


@dataclass(frozen=True, slots=True)
class Contamination:
    """One document that holds an item of an evaluation set."""

    source: str
    url: str
    set: str
    number: int  # of the item's row in its set
    column: str
    kind: str  # "ngram" or "whole"
    share: float  # of the item's n-grams
    excerpt: str


@dataclass(frozen=True, slots=True)
class Decontamination:
    """What was looked for, and examples of what was found."""

    sets: tuple[EvaluationSet, ...]
    examples: tuple[Contamination, ...]


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A document that is kept, or one that was dropped for it."""

    id: str
    url: str
    source: str
    kept: bool
    similarity: float  # to the kept one, 0 when it is that itself
    text: str = ""


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """A document that is kept, and all that were dropped for it."""

    size: int
    members: tuple[GroupMember, ...]  # some: the kept one first, then by similarity


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Who was dropped for whom in the corpus."""

    groups: int  # documents that others were dropped for
    dropped: int
    sizes: tuple[tuple[str, int], ...]  # group size as text (`2`, `3`, `4-7`, …), groups
    across_sources: int  # groups with members of more than one source
    largest: tuple[DuplicateGroup, ...]
    found_at: tuple[tuple[float, float], ...] = ()  # similarity, probability to be compared at all
    pairs_compared: int = 0
    pairs_verified: int = 0
    times_bucket_full: int = 0  # that a kept document found no room to be compared in


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """One source after tokenizing."""

    source: str
    documents: int
    train_tokens: int
    heldout_tokens: int
    text_bytes: int  # of the documents whose tokens are counted

    @property
    def bytes_per_token(self) -> float:
        """How much text one token stands for; 0 for an empty source."""
        tokens = self.train_tokens + self.heldout_tokens
        return self.text_bytes / tokens if tokens else 0.0


@dataclass(frozen=True, slots=True)
class TokenizerFacts:
    """The tokenizer, and what it makes of each source."""

    vocab_size: int
    sources: tuple[TokenCounts, ...]
    longest: tuple[str, ...] = ()  # its longest tokens, as text


@dataclass(frozen=True, slots=True)
class MixtureWeight:
    """The share of one source in training."""

    source: str
    weight: float  # shares add up to 1
    natural: float  # share by its number of tokens
    train_tokens: int
    epochs: float


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One line of a training log."""

    step: int
    loss: float  # nats per token
    lr: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Training:
    """One training run."""

    parameters: int
    shape: tuple[tuple[str, str], ...]  # such as ("layers", "4")
    curve: tuple[CurvePoint, ...]  # thinned for drawing; the first and last line are in it
    steps: int
    tokens: int


@dataclass(frozen=True, slots=True)
class BitsPerByte:
    """Held-out bits per byte of one source, the model beside the bigram baseline; lower wins."""

    source: str
    model: float
    baseline: float
    documents: int
    text_bytes: int


@dataclass(frozen=True, slots=True)
class Measured:
    """An accuracy with its standard error."""

    value: float
    error: float
    number: int  # prompts asked


@dataclass(frozen=True, slots=True)
class FamilyAccuracy:
    """One task family before and after fine-tuning, beside what guessing well would give."""

    family: str
    before: Measured | None
    after: Measured
    baseline: float
    baseline_name: str


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Accuracy on held-out tasks that a rule verifies."""

    families: tuple[FamilyAccuracy, ...]
    overall: FamilyAccuracy
    control: FamilyAccuracy | None  # shuffled passages: must stay at chance


@dataclass(frozen=True, slots=True)
class Answered:
    """One prompt and what the models said, unselected."""

    prompt: str
    before: str | None
    after: str
    expected: str = ""
    verdict: Literal["right", "wrong", ""] = ""
    family: str = ""


@dataclass(frozen=True, slots=True)
class RejectedText:
    """An instruction or conversation that was not used."""

    text: str
    nearest: str = ""
    rouge: float | None = None


@dataclass(frozen=True, slots=True)
class Rejections:
    """What one step rejected for one reason."""

    step: str
    reason: str
    number: int  # of which `examples` are a few
    examples: tuple[RejectedText, ...]


@dataclass(frozen=True, slots=True)
class TeacherShare:
    """Who wrote instructions, and how many of the accepted ones."""

    name: str
    is_language_model: bool
    instructions: int


@dataclass(frozen=True, slots=True)
class Instructions:
    """What the teacher wrote, what was thrown away, and what is left to train on."""

    teachers: tuple[TeacherShare, ...]
    steps: tuple[StepCounts, ...]
    accepted: tuple[str, ...]  # a few accepted instructions
    rejected: tuple[Rejections, ...]
    splits: tuple[tuple[str, int], ...]  # train, heldout, control, rejected: conversations
    families: tuple[tuple[str, int], ...]  # training conversations per family
    max_rouge: float = 0.0  # an instruction nearer than this to an earlier one is rejected
    rouge_histogram: tuple[tuple[float, int], ...] = ()  # lower edge of a bin, instructions
    identical: int = 0  # at ROUGE-L 1: not in the histogram, where they would dwarf all others
    examples: tuple[tuple[str, str, str], ...] = ()  # family, prompt, answer


@dataclass(frozen=True, slots=True)
class StepSettings:
    """What a step was told, beside its inputs."""

    step: str
    labels: tuple[str, ...]  # of the artifacts that it made with them
    values: tuple[tuple[str, str], ...]  # dotted key, value as JSON


@dataclass(frozen=True, slots=True)
class Provenance:
    """One artifact that the report read; not its bytes, which another pyarrow may change."""

    label: str
    version: str
    recipe: str
    digest: str
    rows: int
    libraries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """A whole report."""

    title: str
    trial: int = 0  # most documents per source, where only so many were taken
    funnels: tuple[SourceFunnel, ...] = ()
    examples: tuple[ReasonExamples, ...] = ()
    edits: tuple[ReasonEdits, ...] = ()
    languages: tuple[LanguageShares, ...] = ()
    classifiers: tuple[Classifier, ...] = ()
    duplicates: Duplicates | None = None
    decontamination: Decontamination | None = None
    tokenizer: TokenizerFacts | None = None
    mixture: tuple[MixtureWeight, ...] = ()
    pretrain: Training | None = None
    bits_per_byte: tuple[BitsPerByte, ...] = ()
    instructions: Instructions | None = None
    sft: Training | None = None
    accuracy: Accuracy | None = None
    samples: tuple[Answered, ...] = ()
    settings: tuple[StepSettings, ...] = ()
    provenance: tuple[Provenance, ...] = field(default=())
