"""All task families by name; adding or removing one is one file and one line here."""

from collections.abc import Iterable

from tasks.instructions.families import (
    capital,
    first_word,
    last_but_one,
    last_sign,
    last_word,
    next_mark,
    next_word,
    odd_one_out,
    python_word,
    same_source,
    source,
    which_source,
    word_order,
)
from tasks.instructions.families.family import Family

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        capital.FAMILY,
        first_word.FAMILY,
        last_but_one.FAMILY,
        last_sign.FAMILY,
        last_word.FAMILY,
        next_mark.FAMILY,
        next_word.FAMILY,
        odd_one_out.FAMILY,
        python_word.FAMILY,
        same_source.FAMILY,
        source.FAMILY,
        which_source.FAMILY,
        word_order.FAMILY,
    )
}


def recognise(instruction: str, families: Iterable[str]) -> Family | None:
    """The family, among those named, of which `instruction` is a phrasing."""
    wanted = _normal(instruction)
    for name in families:
        if any(_normal(phrasing) == wanted for phrasing in FAMILIES[name].phrasings):
            return FAMILIES[name]
    return None


def _normal(text: str) -> str:
    return " ".join(text.casefold().split())
