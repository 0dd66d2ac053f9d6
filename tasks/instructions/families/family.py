"""What a task family is: many phrasings of one question, and how to draw one over passages.

Adding a family is one file with a `FAMILY`, its line in `families/__init__.py`, and its name in
`pipeline_config/instructions.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.instructions.passages import Cut, Passage, Shelf
from tasks.teacher.verify import Rule

PLACES = ("first", "second", "third")


@dataclass(frozen=True, slots=True)
class Draft:
    """One question over passages, whose right answer is known by rule."""

    input: str
    rule: Rule
    passages: tuple[Passage, ...]


Draw = Callable[[Shelf, Cut, np.random.Generator], Draft | None]


@dataclass(frozen=True, slots=True)
class Family:
    """A task over the user's documents that a rule verifies."""

    name: str
    is_classification: bool
    phrasings: tuple[str, ...]  # no two of any families with ROUGE-L F1 >= 0.7
    draw: Draw  # None: nothing suitable at the place it looked; draw again


def labelled(label: str, choices: Sequence[str]) -> Rule:
    """The answer is one of a few labels."""
    return Rule("choice", label, tuple(choices))


def exactly(text: str) -> Rule:
    """The answer is this text, whatever its white space."""
    return Rule("exact", text)


def listed(passages: Sequence[str]) -> str:
    r"""Passages as a numbered input.

    >>> listed(["a b", "c d"])
    'First: a b\nSecond: c d'
    """
    return "\n".join(
        f"{place.capitalize()}: {text}" for place, text in zip(PLACES, passages, strict=False)
    )
