"""Which Python keyword or constant the code goes on with."""

import numpy as np

from tasks.instructions.families.ends import one_of, seek
from tasks.instructions.families.family import Draft, Family, exactly
from tasks.instructions.passages import Cut, Shelf

WORDS = ("self", "return", "if", "None", "def", "not", "in", "for")
PHRASINGS = (
    "Which Python word follows in this code?",
    "Complete the Python code with one word.",
    "What comes next in the Python program?",
    "The code was cut. Write its next keyword.",
    "Predict how this Python code goes on.",
    "Fill in the following word of the code.",
    "Add the next Python name or keyword.",
    "Continue this program by one word of code.",
    "As a code editor, suggest the next keyword.",
    "With what keyword does the Python code proceed?",
    "Autocomplete the program by a single Python word.",
    "A programmer stopped typing here. What code comes next?",
    "Give the Python keyword that the interpreter reads next.",
    "Extend the Python script with its next word.",
    "Guess the next word of this Python.",
    "Say what the code continues with.",
    "What would a Python programmer type now?",
    "Write the word of code that comes after this.",
    "Here a program breaks off. Which keyword is next?",
    "Supply the missing next word of the program.",
    "How does the program continue? One Python word.",
    "Finish the code by its following keyword.",
    "Name the keyword next in this Python.",
    "Which word of Python would you type after this code?",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """A passage of Python code that breaks off before a keyword."""
    word = one_of(rng, WORDS)
    passage = seek(shelf.python, rf"(?<=[ (]){word}\b", "ends before", cut, rng)
    return Draft(passage.text, exactly(word), (passage,)) if passage else None


FAMILY = Family("python_word", False, PHRASINGS, draw)
