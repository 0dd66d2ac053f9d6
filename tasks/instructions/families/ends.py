"""Passages that begin or end at a chosen text: what the families about single words share.

The wanted text is drawn first and uniformly, so that no answer is more frequent than another and
guessing pays as little as it can; then it is looked for from a random place on.
"""

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

from tasks.instructions.passages import (
    Cut,
    Document,
    Passage,
    Shelf,
    passage_from,
    passage_until,
)

Where = Literal["begins with", "ends with", "ends before"]
TRIES = 50  # documents looked at for one text, so that rare ones are not under-represented

# Frequent words of English and of Python; most tokenizers have each as one token.
COMMON_WORDS = (
    *("the", "of", "to", "and", "in", "is", "for", "a", "if", "not", "self", "be", "or", "with"),
    *("this", "as", "from", "import", "return", "class", "on", "by", "an", "it", "that", "are"),
)
MARKS = (".", ",", ":", "(", ")", "=")


def word_pattern(word: str) -> str:
    """Finds a word that stands alone between spaces."""
    return rf"(?<= ){re.escape(word)}(?= )"


def mark_pattern(mark: str) -> str:
    """Finds a mark right after a letter or digit, and not inside a word such as `a.b`."""
    return rf"(?<=\w){re.escape(mark)}(?= )"


def seek(
    shelf: Shelf, pattern: str, where: Where, cut: Cut, rng: np.random.Generator
) -> Passage | None:
    """A passage at a match of `pattern` in some document of the shelf; None if none turned up.

    The match is the first one after a random place of a random document.
    """
    search = re.compile(pattern).search
    for _ in range(TRIES):
        document = shelf.any_document(rng)
        if document is None:
            return None
        match = search(document.text, int(rng.integers(len(document.text))))
        passage = match and _passage(document, match, where, cut, rng)
        if passage:
            return passage
    return None


def _passage(
    of: Document, match: re.Match[str], where: Where, cut: Cut, rng: np.random.Generator
) -> Passage | None:
    if where == "begins with":
        return passage_from(of, match.start(), cut, rng)
    end = match.end() if where == "ends with" else match.start()
    return passage_until(of, end, cut, rng)


def one_of(rng: np.random.Generator, items: Sequence[str]) -> str:
    """One of `items`, uniformly."""
    return items[int(rng.integers(len(items)))]
