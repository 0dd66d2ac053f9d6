"""The mark that a passage ends with, copied."""

import numpy as np

from tasks.instructions.families.ends import MARKS, mark_pattern, one_of, seek
from tasks.instructions.families.family import Draft, Family, exactly
from tasks.instructions.passages import Cut, Shelf

PHRASINGS = (
    "With what sign does the passage close?",
    "Copy the last character.",
    "Repeat the symbol at the end.",
    "Which character finishes this?",
    "Write the closing symbol of this text.",
    "Tell me the last sign.",
    "Quote the sign standing behind the final word.",
    "Show the character on which the lines end.",
    "What symbol do you see in the final place?",
    "Report the one character that finishes the excerpt.",
    "Extract the terminal sign of the fragment.",
    "Ignore all words; give the ending symbol.",
    "Say again the character that comes last of all.",
    "Return the concluding sign only.",
    "Name the sign at the very end.",
    "Give only the last character of the text.",
    "Which sign comes last in these lines?",
    "What is the final symbol here?",
    "Write the sign that ends the snippet.",
    "Find the last symbol and copy it.",
    "The excerpt ends with which character?",
    "At the end stands a sign. Which one?",
    "Tell me what character is last.",
    "I want the final character, no word.",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """A passage that ends with a mark."""
    mark = one_of(rng, MARKS)
    passage = seek(shelf, mark_pattern(mark), "ends with", cut, rng)
    return Draft(passage.text, exactly(mark), (passage,)) if passage else None


FAMILY = Family("last_sign", False, PHRASINGS, draw)
