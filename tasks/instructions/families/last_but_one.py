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
    "Write down the word just before the end.",
    "Go back from the last word by a single step.",
    "Of the last two words give the earlier.",
    "Find the word that is penultimate in these lines.",
    "Say the word before the final one.",
    "Second from the end: which word?",
    "Drop the last word; what does the text end on now?",
    "From the final pair of words take the penultimate.",
    "Name the neighbour on the left of the last word.",
    "Which word is penultimate here?",
    "Give the word before the last one, please.",
    "These lines have a last word but one. Quote it.",
    "Report the next to last word of the text.",
    "Extract the penultimate word only.",
    "Look at the word before the end; which is it?",
    "Tell me which word comes second from the end.",
    "Leave out the last word and say the word before it.",
    "What word stands next to the last, on its left?",
    "Return the second word from the end.",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """A passage whose last word but one is a common word."""
    word = one_of(rng, COMMON_WORDS)
    pattern = rf"{word_pattern(word)} \S+(?= )"
    passage = seek(shelf, pattern, "ends with", cut, rng)
    return Draft(passage.text, exactly(word), (passage,)) if passage else None


FAMILY = Family("last_but_one", False, PHRASINGS, draw)
