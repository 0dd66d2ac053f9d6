"""Whether two passages are from the same source; a bag of words is near chance."""

import numpy as np

from tasks.instructions.families.ends import one_of
from tasks.instructions.families.family import Draft, Family, labelled, listed
from tasks.instructions.passages import Cut, Shelf, passage_anywhere

CHOICES = ("yes", "no")
PHRASINGS = (
    "Are the two passages from the same source?",
    "Do both texts share one origin? Yes or no.",
    "Tell me if these excerpts are alike in where they come from.",
    "Compare the two: is it one collection or several?",
    "Would you shelve them together, yes or no?",
    "Decide whether both belong to a single collection.",
    "Could the pair have been crawled at the same place?",
    "Is there a difference of origin? Say no if there is, else yes.",
    "Check the sources of the first and second for equality.",
    "Answer yes only if neither text comes from elsewhere than the other.",
    "One source behind both passages?",
    "Judge if the second text stems from where the first does.",
)


def draw(shelf: Shelf, cut: Cut, rng: np.random.Generator) -> Draft | None:
    """Two passages of different documents, of one source in half of the drafts."""
    if len(shelf.sources) < 2:
        return None
    choice = one_of(rng, CHOICES)
    first, second = (str(name) for name in rng.permutation(shelf.sources)[:2])
    documents = [
        shelf.any_document(rng, first),
        shelf.any_document(rng, first if choice == "yes" else second),
    ]
    passages = [passage_anywhere(one, cut, rng) for one in documents if one]
    found = tuple(passage for passage in passages if passage)
    if len(found) < 2 or found[0].document.cluster == found[1].document.cluster:
        return None
    text = listed([passage.text for passage in found])
    return Draft(text, labelled(choice, CHOICES), found)


FAMILY = Family("same_source", True, PHRASINGS, draw)
