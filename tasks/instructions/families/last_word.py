"""The last word of a passage, copied."""

import numpy as np

from tasks.instructions.families.ends import COMMON_WORDS, one_of, seek, word_pattern
from tasks.instructions.families.family import Draft, Family, exactly
from tasks.instructions.passages import Cut, Shelf

PHRASINGS = (
    "What is the last word of the passage?",
    "Copy the final word.",
    "Repeat the word at the end of this text.",
    "Which word is the last one here?",
    "Write out the word you read last.",
    "With which word does the text end?",
    "Quote the final word of these lines.",
    "The passage is closed by what word?",
    "Look behind all others: what is the ending word?",
    "On what word do we stop reading?",
    "Extract the last of all the words.",
    "Ignore everything except the closing word and write that.",
    "Say the very last word again.",
    "At the end stands one word. Which is it?",
    "Give the last word you see.",
    "Tell me how the text ends, in one word.",
    "Name the word that ends these lines.",
    "Find the final word in the excerpt.",
    "Report what word comes last.",
    "Which word is at the very end?",
    "Return just the ending word.",
    "What is the closing word of this snippet?",
    "After which word does nothing follow?",
    "I want the last word and nothing more.",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """A passage that ends with a common word."""
    word = one_of(rng, COMMON_WORDS)
    passage = seek(shelf, word_pattern(word), "ends with", cut, rng)
    return Draft(passage.text, exactly(word), (passage,)) if passage else None


FAMILY = Family("last_word", False, PHRASINGS, draw)
