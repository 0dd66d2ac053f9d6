"""Words and phrases of the user's lists, found between characters that belong to no word.

As C4 looked for bad words (Raffel et al. 2020, section 2.2), in any case. Phrases with a character
of a script without spaces are found anywhere. A text is read once, whatever the lists' length.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from tasks.text import UNSPACED_SCRIPTS

WORD = re.compile(r"\w+")


class WordList(NamedTuple):
    """Phrases by their first word, and the phrases without word limits as one pattern."""

    phrases: dict[str, list[tuple[str, ...]]]  # first word -> the words behind it, longest first
    anywhere: re.Pattern[str] | None


def word_list(phrases: Iterable[str]) -> WordList:
    """Prepare the phrases of one or more lists; empty ones and comments (#) are left out."""
    by_first: dict[str, list[tuple[str, ...]]] = {}
    unspaced: set[str] = set()
    for phrase in sorted({line.strip().lower() for line in phrases}):
        if not phrase or phrase.startswith("#"):
            continue
        if any(_is_unspaced(character) for character in phrase):
            unspaced.add(phrase)
            continue
        first, *rest = WORD.findall(phrase) or [""]
        if first:
            by_first.setdefault(first, []).append(tuple(rest))
    for first, rests in by_first.items():
        by_first[first] = sorted(set(rests), key=lambda rest: (-len(rest), rest))
    pattern = "|".join(map(re.escape, sorted(unspaced, key=lambda phrase: (-len(phrase), phrase))))
    return WordList(by_first, re.compile(pattern, re.IGNORECASE) if pattern else None)


def find_words(text: str, words: WordList) -> list[tuple[int, int]]:
    """Return the spans of all finds, in order, without overlaps.

    >>> find_words("What the HECK, heckling!", word_list(["heck", "what the"]))
    [(0, 8), (9, 13)]
    """
    found: list[tuple[int, int]] = []
    if words.phrases:
        places = list(WORD.finditer(text))
        lower = [place[0].lower() for place in places]
        index = 0
        while index < len(places):
            rest = _longest(lower, index, words.phrases.get(lower[index], ()))
            if rest is None:
                index += 1
                continue
            found.append((places[index].start(), places[index + rest].end()))
            index += rest + 1
    if words.anywhere is not None:
        taken = bytearray(len(text))
        for start, end in found:
            taken[start:end] = b"\1" * (end - start)
        found += [
            m.span() for m in words.anywhere.finditer(text) if not any(taken[slice(*m.span())])
        ]
    return sorted(found)


def _longest(lower: list[str], index: int, rests: Iterable[tuple[str, ...]]) -> int | None:
    """How many words follow the one at `index` in the longest phrase that stands there."""
    for rest in rests:
        if tuple(lower[index + 1 : index + 1 + len(rest)]) == rest:
            return len(rest)
    return None


def _is_unspaced(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in UNSPACED_SCRIPTS)
