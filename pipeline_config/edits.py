"""What is cut out of kept documents: the line rules of C4 and RefinedWeb."""

from typing import Annotated

from pydantic import Field, StringConstraints

from pipeline_config.base import StageConfig

# Printable ASCII without capitals, no white space around it; matched whatever the case.
PHRASE = r"^[!-@\[-~]([ -@\[-~]*[!-@\[-~])?$"
Phrase = Annotated[str, StringConstraints(pattern=PHRASE, max_length=100)]


class C4LineRules(StageConfig):
    """Raffel et al. 2020, section 2.2, and their code: the lines that C4 cuts out; null: off."""

    enabled: bool = Field(default=False, description="whether lines are cut out by these rules")
    terminal_marks: str | None = Field(
        default=".?!\"'",
        min_length=1,
        max_length=32,
        description="characters one of which a line must end with, and not with three dots; null: "
        "any end will do, as in FineWeb",
    )
    min_words: int = Field(default=3, ge=0, description="least words of a line; 0: no limit")
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
