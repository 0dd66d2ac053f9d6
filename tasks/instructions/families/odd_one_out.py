"""Which of three passages is from another source than the other two."""

import numpy as np

from tasks.instructions.families.family import PLACES, Draft, Family, labelled, listed
from tasks.instructions.passages import Cut, Shelf, passage_anywhere

PHRASINGS = (
    "Two of three passages share their source. Which is the odd one?",
    "Find the odd one out.",
    "Which text differs in origin from the other two?",
    "One passage does not belong with the others; name it.",
    "Spot the stranger among three excerpts.",
    "Pick the outsider: first, second or third?",
    "Say which of the three is unlike the rest.",
    "Two match and one does not. Where is the misfit?",
    "Identify the exception in this group.",
    "Somebody mixed a foreign text into a collection. Which position has it?",
    "Leave the pair aside and name the single one.",
    "Whose source is found only once here?",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """Three passages of three documents, one of them of another source."""
    if len(shelf.sources) < 2:
        return None
    common, other = (str(name) for name in rng.permutation(shelf.sources)[:2])
    place = int(rng.integers(3))
    passages = []
    for index in range(3):
        document = shelf.any_document(rng, other if index == place else common)
        passage = document and passage_anywhere(document, cut, rng)
        if not passage:
            return None
        passages.append(passage)
    if len({passage.document.cluster for passage in passages}) < 3:
        return None
    text = listed([passage.text for passage in passages])
    return Draft(text, labelled(PLACES[place], PLACES), tuple(passages))


FAMILY = Family("odd_one_out", True, PHRASINGS, draw)
