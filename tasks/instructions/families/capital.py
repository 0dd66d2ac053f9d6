"""Whether a passage begins with a capital letter."""

import numpy as np

from tasks.instructions.families.ends import one_of, seek
from tasks.instructions.families.family import Draft, Family, labelled
from tasks.instructions.passages import Cut, Shelf

CHOICES = ("yes", "no")
PHRASINGS = (
    "Does the passage start with a capital letter?",
    "Is the first letter upper case, yes or no?",
    "Check if the text opens with a capital.",
    "Capital letter at the beginning?",
    "Tell whether the initial letter is a capital one.",
    "Are we starting in upper case here?",
    "Yes or no: a capital comes first.",
    "Look at the first letter. Is it a capital?",
    "Did the writer capitalise the opening word?",
    "Answer yes when these lines begin with a big letter.",
    "Is upper case used for the leading letter?",
    "Say whether the excerpt begins capitalised.",
    "Would you call the starting letter a capital?",
    "Test the beginning for upper case.",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """A passage that begins with a letter, a capital in half of them."""
    choice = one_of(rng, CHOICES)
    letter = "[A-Z]" if choice == "yes" else "[a-z]"
    passage = seek(shelf, rf"(?<= ){letter}", "begins with", cut, rng)
    return Draft(passage.text, labelled(choice, CHOICES), (passage,)) if passage else None


FAMILY = Family("capital", True, PHRASINGS, draw)
