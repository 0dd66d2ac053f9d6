"""Whether the words of a passage stand in their order; a bag of words is at chance."""

import numpy as np

from tasks.instructions.families.ends import one_of
from tasks.instructions.families.family import Draft, Family, labelled
from tasks.instructions.passages import Cut, Shelf, passage_anywhere

CHOICES = ("intact", "shuffled")
PHRASINGS = (
    "Is the order of the words intact or shuffled?",
    "Were these words mixed up? Say shuffled or intact.",
    "Judge whether somebody has scrambled the sentence.",
    "Does the text read as it was written, or is it jumbled?",
    "Tell shuffled passages from intact ones.",
    "Check the sequence of words for disorder.",
    "Original arrangement or random arrangement?",
    "Decide if the wording below was left as it stood: intact, else shuffled.",
    "Has anyone permuted what you read here?",
    "Answer shuffled when the words make no sense in this order.",
    "Would you call the passage intact?",
    "Say if the lines went through a shuffler.",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """A passage, its words permuted in half of the drafts."""
    choice = one_of(rng, CHOICES)
    document = shelf.any_document(rng)
    passage = document and passage_anywhere(document, cut, rng)
    if not passage:
        return None
    text = passage.text
    if choice == "shuffled":
        text = " ".join(str(word) for word in rng.permutation(text.split(" ")))
        if text == passage.text:
            return None
    return Draft(text, labelled(choice, CHOICES), (passage,))


FAMILY = Family("word_order", True, PHRASINGS, draw)
