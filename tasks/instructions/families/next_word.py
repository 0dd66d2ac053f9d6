"""Which common word the text goes on with."""

import numpy as np

from tasks.instructions.families.ends import one_of, seek, word_pattern
from tasks.instructions.families.family import Draft, Family, exactly
from tasks.instructions.passages import Cut, Shelf

WORDS = ("the", "of", "to", "and", "in", "is", "for", "a")
PHRASINGS = (
    "Which word comes next after this passage?",
    "Continue the text with a single word.",
    "Predict the following word.",
    "The sentence stops early. Add what comes next.",
    "Guess how the text goes on, in one word.",
    "Give me the word after the end.",
    "What next word do you expect here?",
    "Finish with one more word.",
    "If the author kept writing, what would be said next?",
    "Supply the word that is missing behind these.",
    "One word was cut off at the end; restore it.",
    "How would you go on from here? Just a word.",
    "Extend the fragment by its most likely next word.",
    "Tell me the upcoming word of this sentence.",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """A passage of prose that breaks off before a common word."""
    word = one_of(rng, WORDS)
    passage = seek(shelf.prose, word_pattern(word), "ends before", cut, rng)
    return Draft(passage.text, exactly(word), (passage,)) if passage else None


FAMILY = Family("next_word", False, PHRASINGS, draw)
