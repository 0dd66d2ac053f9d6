"""Which of two passages is from the wanted source; a bag of words cannot tell their places."""

import numpy as np

from tasks.instructions.families.family import PLACES, Draft, Family, labelled, listed
from tasks.instructions.passages import Cut, Shelf, passage_anywhere

PHRASINGS = (
    "Which of the two passages is from the wanted source?",
    "Only one of these comes out of the wanted collection. First or second?",
    "Find the passage that has the wanted origin.",
    "Point to whichever text belongs where it says.",
    "Of this pair, select the one taken from the named collection.",
    "Is the wanted source above or below? Answer first or second.",
    "A source is named. Match it with one of both texts.",
    "Pick the candidate that fits the given source.",
    "Say where the wanted kind of document stands, first or second.",
    "Two excerpts, one request: choose what was asked for.",
    "Compare both candidates and name the requested one's position.",
    "The librarian wants one of these collections; hand over the right text.",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """Two passages of two sources, one of which is wanted."""
    if len(shelf.sources) < 2:
        return None
    sources = [str(name) for name in rng.permutation(shelf.sources)[:2]]
    passages = []
    for source in sources:
        document = shelf.any_document(rng, source)
        passage = document and passage_anywhere(document, cut, rng)
        if not passage:
            return None
        passages.append(passage)
    place = int(rng.integers(2))
    text = listed([passage.text for passage in passages])
    rule = labelled(PLACES[place], PLACES[:2])
    return Draft(f"Wanted: {sources[place]}\n{text}", rule, tuple(passages))


FAMILY = Family("which_source", True, PHRASINGS, draw)
