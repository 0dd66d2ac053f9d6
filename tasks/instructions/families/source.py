"""Which source a passage was taken from; the label comes from the crawl."""

import numpy as np

from tasks.instructions.families.family import Draft, Family, labelled
from tasks.instructions.passages import Cut, Shelf, passage_anywhere

PHRASINGS = (
    "Which of the sources is this passage from?",
    "Name the collection that the following text belongs to.",
    "Where was this excerpt taken from?",
    "Classify the snippet by its source.",
    "Tell me the origin of these lines.",
    "Label the passage with the place it came from.",
    "Identify what kind of document contains these words.",
    "Guess from the style which collection you are reading.",
    "To which source would you assign the text?",
    "I found this fragment without a label. What is its origin?",
    "Sort the extract into the right collection.",
    "Say in one word what sort of document this is.",
    "Determine the source that the quoted words stem from.",
    "Out of which collection might somebody have copied this?",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """A passage of a source drawn uniformly."""
    document = shelf.any_document(rng)
    passage = document and passage_anywhere(document, cut, rng)
    if not document or not passage:
        return None
    return Draft(passage.text, labelled(document.source, shelf.sources), (passage,))


FAMILY = Family("source", True, PHRASINGS, draw)
