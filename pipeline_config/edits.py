"""What is cut out of kept documents, or replaced in them: lines, repeated lines, words, PII.

Like the limits of quality, each group can differ for a source, key by key, under `edits.sources`.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from pipeline_config.base import StageConfig
from pipeline_config.overrides import Overrides
from pipeline_config.pii import PiiRules

# Printable ASCII without capitals, no white space around it; matched whatever the case.
PHRASE = r"^[!-@\[-~]([ -@\[-~]*[!-@\[-~])?$"
Phrase = Annotated[str, StringConstraints(pattern=PHRASE, max_length=100)]


class C4LineRules(StageConfig):
    """Raffel et al. 2020, section 2.2, with datatrove's numbers: what C4 cuts out; null: off."""

    enabled: bool = Field(default=False, description="whether lines are cut out by these rules")
    terminal_marks: str | None = Field(
        default=".?!\"'",
        min_length=1,
        max_length=32,
        description="characters one of which a line must end with, and not with three dots; "
        "datatrove's, C4's code has no apostrophe; null: any end will do, as in FineWeb",
    )
    min_words: int = Field(
        default=3,
        ge=0,
        description="least words of a line; datatrove's number, C4's code has 5; 0: no limit",
    )
    max_word_chars: int | None = Field(
        default=1000, ge=1, description="characters of a line's longest word, at most"
    )
    citations: bool = Field(
        default=True, description="whether to cut [1], [], [edit] and [citation needed] out"
    )
    javascript: bool = Field(
        default=True, description='whether to cut lines that say "javascript" in any case'
    )
    policy_phrases: tuple[Phrase, ...] = Field(
        default=(
            "terms of use",
            "privacy policy",
            "cookie policy",
            "uses cookies",
            "use of cookies",
            "use cookies",
        ),
        max_length=100,
        description="phrases in lower-case ASCII; a line with one of them, in any case, is cut",
    )

    def switched_on(self) -> Self:
        """What C4's signals depend on: the rules, whether their lines are cut or not."""
        return self.model_copy(update={"enabled": True})


class RefinedWebLineRules(StageConfig):
    """Penedo et al. 2023, appendix G.2, by the numbers of DCLM's reproduction; null: off."""

    enabled: bool = Field(default=False, description="whether lines are cut out by these rules")
    max_uppercase_fraction: float | None = Field(
        default=0.5, ge=0.0, le=1.0, description="share of a line's characters in capitals, at most"
    )
    digit_lines: bool = Field(default=True, description="whether to cut lines of digits alone")
    counter_lines: bool = Field(
        default=True, description='whether to cut lines such as "3 likes" and "1.2k views"'
    )
    min_words: int = Field(
        default=2, ge=0, description="least words of a line that is not empty; 0: no limit"
    )
    phrases_anywhere: tuple[Phrase, ...] = Field(
        default=("items in cart",), description="cut wherever a short line has them, in any case"
    )
    phrases_last: tuple[Phrase, ...] = Field(
        default=("read more...",), description="cut where a short line ends with them"
    )
    phrases_first: tuple[Phrase, ...] = Field(
        default=("sign-in",), description="cut where a short line begins with them"
    )
    max_phrase_line_words: int = Field(
        default=10, ge=0, description="words of a line that is short, at most"
    )
    max_newlines: int | None = Field(
        default=2, ge=1, description="newlines in a row, at most; those beyond are cut"
    )
    max_removed_word_fraction: float | None = Field(
        default=0.05,
        ge=0.0,
        le=1.0,
        description="share of a document's words that these rules cut, at most; beyond, the "
        "document is dropped",
    )


class RepeatedLineRules(StageConfig):
    """Lines or paragraphs that come again: within a page, and on many pages of a source."""

    enabled: bool = Field(default=False, description="whether repeated lines are cut at all")
    unit: Literal["line", "paragraph"] = Field(
        default="line", description="what is compared; paragraphs are parted by empty lines"
    )
    min_chars: int = Field(
        default=20, ge=1, description="characters; shorter ones stay, such as a closing bracket"
    )
    within_page: bool = Field(
        default=True, description="whether the second and later copies on a page are cut"
    )
    min_pages: int | None = Field(
        default=10,
        ge=2,
        description="on so many pages of the source a line is boilerplate and cut from all of "
        "them; null: only within a page",
    )

    @property
    def across_pages(self) -> bool:
        """Whether the lines of all pages must be counted first."""
        return self.enabled and self.min_pages is not None


class WordRules(StageConfig):
    """Word lists, such as the one that C4 used."""

    lists: tuple[str, ...] = Field(
        default=(),
        description="files with a word or phrase per line; found in any case, between characters "
        "that belong to no word; those with other characters than words have, exactly as written",
    )
    action: Literal["drop", "cut_line", "mask"] = Field(
        default="drop",
        description="drop: documents with more than max_found go; cut_line: lines with one go; "
        "mask: each becomes <WORD>",
    )
    max_found: int = Field(
        default=0, ge=0, description="finds that a document may have, for action: drop"
    )


class EditRules(StageConfig):
    """Everything that changes texts, for one source."""

    c4_lines: C4LineRules = C4LineRules()
    refinedweb_lines: RefinedWebLineRules = RefinedWebLineRules()
    repeated_lines: RepeatedLineRules = RepeatedLineRules()
    words: WordRules = WordRules()
    pii: PiiRules = PiiRules()


class EditOverrides(EditRules, Overrides):
    """The rules in which one source differs: only the keys that are given count."""


class EditConfig(EditRules):
    """The edits of all sources."""

    sources: dict[str, EditOverrides] = Field(
        default_factory=dict, description="by source: the rules in which it differs"
    )

    def for_source(self, name: str) -> EditRules:
        """Return the rules that hold for one source."""
        defaults = EditRules(**{group: getattr(self, group) for group in EditRules.model_fields})
        overrides = self.sources.get(name)
        return overrides.over(defaults) if overrides else defaults
