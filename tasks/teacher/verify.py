"""Rule verifiers: whether an answer is right, without asking anybody.

The same rules accept the rows that fine-tuning trains on, score the evaluation, and reward
reinforcement learning. Adding one is one function and one branch of `verify`.

    >>> verify(Rule("choice", "first", ("first", "second")), "The first passage.")
    True
    >>> verify(Rule("choice", "first", ("first", "second")), "first or second")
    False
    >>> verify(Rule("exact", "json.decoder"), "  json.decoder ")
    True
"""

import re
from dataclasses import dataclass
from typing import Protocol

VERIFIERS = ("choice", "exact")

_NEGATION = re.compile(r"\b(not|never|neither|nor|cannot)\b|n't\b")


class Spec(Protocol):
    """What a verifier needs to know; a stored record or a `Rule`."""

    @property
    def verifier(self) -> str:
        """One of `VERIFIERS`."""
        ...

    @property
    def answer(self) -> str:
        """The right answer."""
        ...

    @property
    def choices(self) -> tuple[str, ...]:
        """Every admissible answer, for `choice`."""
        ...


@dataclass(frozen=True, slots=True)
class Rule:
    """A question's right answer and how to recognise it."""

    verifier: str
    answer: str
    choices: tuple[str, ...] = ()


def verify(spec: Spec, answer: str) -> bool:
    """Whether `answer` is right by the rule `spec`.

    Raises:
        ValueError: for an unknown verifier.
    """
    if spec.verifier == "choice":
        return chosen(answer, spec.choices) == spec.answer
    if spec.verifier == "exact":
        return " ".join(answer.split()) == " ".join(spec.answer.split())
    raise ValueError(f"unknown verifier {spec.verifier!r}; known: {', '.join(VERIFIERS)}")


def chosen(answer: str, choices: tuple[str, ...]) -> str | None:
    """The one choice that the first line of `answer` names as a whole word, else None.

    Naming two choices is no answer: otherwise listing them all would always be right. Nor is "not
    the first".
    """
    lines = answer.strip().splitlines()
    if not lines:
        return None
    found = [choice for choice in choices if _names(lines[0], choice)]
    # "New" inside "New York": the longer choice holds the shorter one
    longest = [one for one in found if not any(one != other and one in other for other in found)]
    if len(longest) != 1 or _NEGATION.search(
        lines[0].casefold().replace(longest[0].casefold(), "")
    ):
        return None
    return longest[0]


def _names(line: str, choice: str) -> bool:
    pattern = rf"(?<![\w.-]){re.escape(choice)}(?![\w-]|\.\w)"
    return re.search(pattern, line, flags=re.IGNORECASE) is not None
