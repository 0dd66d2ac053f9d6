"""The first word of a passage, copied."""

import numpy as np

from tasks.instructions.families.ends import COMMON_WORDS, one_of, seek, word_pattern
from tasks.instructions.families.family import Draft, Family, exactly
from tasks.instructions.passages import Cut, Shelf

PHRASINGS = (
    "How does the passage begin? Give one word.",
    "Copy the first word only, nothing behind it.",
    "Name this text's opening word.",
    "Which word was written first here?",
    "The first word, please, as you read it.",
    "Start of the text: what word is that?",
    "Which of the words opens these lines?",
    "Tell me the word that begins the passage.",
    "Look at the beginning and report what word stands there.",
    "What word does the excerpt open with?",
    "Before all the others comes a first word; extract it.",
    "Disregard everything behind the starting word and write it.",
    "Begin reading and stop after one word: which?",
    "Return only the opening word.",
    "Quote the first word of the excerpt.",
    "At the start there is a word. Which one?",
    "Repeat what word is at the beginning here.",
    "Say what first word the lines have.",
    "By which word is the fragment opened?",
    "Write down the initial word of the text.",
    "Of all the words give the first.",
    "The beginning of this snippet is what word?",
    "Find the word with which everything starts.",
    "I need the opening word and no other.",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """A passage that begins with a common word."""
    word = one_of(rng, COMMON_WORDS)
    passage = seek(shelf, word_pattern(word), "begins with", cut, rng)
    return Draft(passage.text, exactly(word), (passage,)) if passage else None


FAMILY = Family("first_word", False, PHRASINGS, draw)
