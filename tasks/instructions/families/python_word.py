"""Which Python keyword or constant the code goes on with."""

import numpy as np

from tasks.instructions.families.ends import one_of, seek
from tasks.instructions.families.family import Draft, Family, exactly
from tasks.instructions.passages import Cut, Shelf

WORDS = ("self", "return", "if", "None", "def", "not", "in", "for")
PHRASINGS = (
    "Which Python word follows in this code?",
    "Complete the code with one keyword or name.",
    "What comes next in the Python program?",
    "The code was cut. Write its next keyword.",
    "Predict how this Python goes on.",
    "Fill in the following piece of code.",
    "Add the next Python name.",
    "Continue this program by one word.",
    "As a code editor, suggest the coming keyword.",
    "With what keyword does the function proceed?",
    "Autocomplete the source code by a single word.",
    "A programmer stopped typing here. What would be typed?",
    "Give the Python keyword that the interpreter would read now.",
    "Extend the script with its next word.",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """A passage of Python code that breaks off before a keyword."""
    word = one_of(rng, WORDS)
    passage = seek(shelf.python, rf"(?<=[ (]){word}\b", "ends before", cut, rng)
    return Draft(passage.text, exactly(word), (passage,)) if passage else None


FAMILY = Family("python_word", False, PHRASINGS, draw)
