"""The word before the last word of a passage, copied."""

import numpy as np

from tasks.instructions.families.ends import COMMON_WORDS, one_of, seek, word_pattern
from tasks.instructions.families.family import Draft, Family, exactly
from tasks.instructions.passages import Cut, Shelf

PHRASINGS = (
    "Which word stands before the last?",
    "Copy the last word but one.",
    "What is the next to last word?",
    "One word precedes the final one. Quote it.",
    "Tell me the penultimate word.",
    "Write down the word just ahead of the end.",
    "Go back from the last word by a single step.",
    "Of both closing words give the earlier.",
    "Find the word that is penultimate in these lines.",
    "Say the word before the final one.",
    "Second from the end: which word?",
    "Drop the last word; what does the text end on now?",
    "Take the final pair of words and repeat its first half.",
    "Name the neighbour on the left of the last word.",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """A passage whose last word but one is a common word."""
    word = one_of(rng, COMMON_WORDS)
    pattern = rf"{word_pattern(word)} \S+(?= )"
    passage = seek(shelf, pattern, "ends with", cut, rng)
    return Draft(passage.text, exactly(word), (passage,)) if passage else None


FAMILY = Family("last_but_one", False, PHRASINGS, draw)
