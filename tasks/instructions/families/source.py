"""Which source a passage was taken from; the label comes from the crawl."""

import numpy as np

from tasks.instructions.families.family import Draft, Family, labelled
from tasks.instructions.passages import Cut, Shelf, passage_anywhere

PHRASINGS = (
    "Which of the sources is this passage from?",
    "Name the source that the following text belongs to.",
    "From which source was this excerpt taken?",
    "Classify the snippet by its source.",
    "Tell me the source of these lines.",
    "Label the passage with the source it came from.",
    "Identify the collection that contains these words.",
    "Guess from the style which source you are reading.",
    "To which source would you assign the text?",
    "I found this fragment without a source. What is its origin?",
    "Sort the extract into the right collection.",
    "Say in one word from what source this is.",
    "Determine the collection that the quoted words stem from.",
    "Out of which collection might somebody have copied this?",
    "Origin of the passage: which source is it?",
    "Decide which collection the text is from.",
    "Give the source, one label only.",
    "Where does this come from? Answer with the source.",
    "Pick the collection these lines were found in.",
    "Of the known sources, which one fits the words?",
    "Assign the excerpt to a collection.",
    "Write the label of the source behind this text.",
    "Is this from one source or another? Name it.",
    "Find out the origin: which collection is it?",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """A passage of a source drawn uniformly."""
    document = shelf.any_document(rng)
    passage = document and passage_anywhere(document, cut, rng)
    if not document or not passage:
        return None
    return Draft(passage.text, labelled(document.source, shelf.sources), (passage,))


FAMILY = Family("source", True, PHRASINGS, draw)
