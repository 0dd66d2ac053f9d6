"""Which punctuation mark follows the passage."""

import numpy as np

from tasks.instructions.families.ends import MARKS, mark_pattern, one_of, seek
from tasks.instructions.families.family import Draft, Family, exactly
from tasks.instructions.passages import Cut, Shelf

PHRASINGS = (
    "Which punctuation mark comes next?",
    "The text breaks off before a mark. Which one?",
    "Give the punctuation that follows.",
    "Predict the next punctuation sign.",
    "What mark stands after this?",
    "Put the right punctuation at the end.",
    "Choose the mark that should come now.",
    "Add the missing punctuation mark.",
    "A sign of punctuation was removed behind the words; restore it.",
    "How should this be punctuated after its final word?",
    "Supply the mark with which the writer goes on.",
    "Comma, colon, bracket or another: what follows here?",
    "Decide on the punctuation to write behind these words.",
    "Tell me the punctuation mark expected next.",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """A passage that breaks off before a mark."""
    mark = one_of(rng, MARKS)
    passage = seek(shelf, mark_pattern(mark), "ends before", cut, rng)
    return Draft(passage.text, exactly(mark), (passage,)) if passage else None


FAMILY = Family("next_mark", False, PHRASINGS, draw)
