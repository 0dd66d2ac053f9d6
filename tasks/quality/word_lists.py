"""Words and phrases of the user's lists, found between characters that belong to no word.

As C4 looked for bad words (Raffel et al. 2020, section 2.2), in any case and Unicode form. Texts
and entries are cut alike, into words (`tasks.text`: marks are in them, characters of scripts
without spaces are words of their own), runs of white space, and single other characters. Then

- an entry of words, "what the", is found whatever stands between its words;
- one with another character, "s&m" or "🖕", or of a script without spaces is found as it stands.

A text is read once, whatever the lists' length.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from tasks.text import DROPPED, UNSPACED_SCRIPTS, Kind, character_table, normalise

Phrases: TypeAlias = dict[str, list[tuple[str, ...]]]  # first piece -> those behind it


class WordList(NamedTuple):
    """Entries by their first piece; of those that begin alike, the longest first."""

    words: Phrases
    literal: Phrases


class Patterns(NamedTuple):
    """What texts are cut into; invisible characters are in no piece, but inside of words."""

    word: re.Pattern[str]
    piece: re.Pattern[str]  # a word, white space, or another character


def word_list(entries: Iterable[str]) -> WordList:
    """Prepare the entries of one or more lists; empty ones and comments (#) are left out.

    Raises:
        ValueError: when an entry has nothing that could be found, such as an invisible character.
    """
    found = WordList({}, {})
    for entry in sorted({line.strip() for line in entries}):
        if not entry or entry.startswith("#"):
            continue
        words = [name_of(word) for word in patterns().word.findall(entry)]
        pieces = [name_of(piece) for piece in patterns().piece.findall(entry)]
        if not "".join(pieces).strip():
            raise ValueError(f"edits.words.lists: {entry!a} has no visible character; remove it")
        has_others = len(words) < len(pieces) - pieces.count(" ")
        is_literal = has_others or any(map(_is_unspaced, entry))
        first, *rest = pieces if is_literal else words
        (found.literal if is_literal else found.words).setdefault(first, []).append(tuple(rest))
    for phrases in found:
        for first, rests in phrases.items():
            phrases[first] = sorted(set(rests), key=lambda rest: (-len(rest), rest))
    return found


def find_words(text: str, words: WordList) -> list[tuple[int, int]]:
    """Return the spans of all finds, in order, without overlaps.

    >>> find_words("What the HECK, heckling!", word_list(["heck", "what the"]))
    [(0, 8), (9, 13)]
    """
    found = _find(text, patterns().word, words.words)
    literal = _find(text, patterns().piece, words.literal)
    if found and literal:
        taken = bytearray(len(text))
        for start, end in found:
            taken[start:end] = b"\1" * (end - start)
        literal = [span for span in literal if not any(taken[slice(*span)])]
    return sorted(found + literal)


def name_of(piece: str) -> str:
    """What makes two pieces the same; casefold, for a final sigma is a sigma."""
    plain = piece if piece.isascii() else normalise(piece)
    return plain.strip().casefold() or " "


@cache
def patterns() -> Patterns:
    """The patterns of words and pieces; 0.3 s, once per process.

    >>> patterns().piece.findall("S&M  हिन्दी")
    ['S', '&', 'M', '  ', 'हिन्दी']
    """
    table = character_table()
    dropped = table.fold == DROPPED
    letter, mark, alone = (
        _characters((table.kind == kind) & ~dropped)
        for kind in (Kind.LETTER, Kind.MARK, Kind.ALONE)
    )
    invisible = _characters(dropped)
    word = (
        rf"[{letter}][{letter}{mark}]*(?:[{invisible}]+[{letter}{mark}]+)*"
        rf"|[{alone}](?:[{invisible}]*[{mark}])*"
    )
    other = rf"\s+|[^{invisible}]"
    return Patterns(re.compile(word), re.compile(f"{word}|{other}"))


def _find(text: str, cut: re.Pattern[str], phrases: Phrases) -> list[tuple[int, int]]:
    """Where the phrases stand in neighbouring pieces; behind a find the search goes on."""
    pieces = cut.findall(text) if phrases else []
    name = {piece: name_of(piece) for piece in set(pieces)}
    if phrases.keys().isdisjoint(name.values()):  # nearly always
        return []
    names = [name[piece] for piece in pieces]
    places = [place.span() for place in cut.finditer(text)]
    found = []
    index = 0
    while index < len(names):
        rest = _longest(names, index, phrases.get(names[index], ()))
        if rest is not None:
            found.append((places[index][0], places[index + rest][1]))
        index += 1 + (rest or 0)
    return found


def _longest(names: list[str], index: int, rests: Iterable[tuple[str, ...]]) -> int | None:
    """How many pieces follow the one at `index` in the longest phrase that stands there."""
    for rest in rests:
        if tuple(names[index + 1 : index + 1 + len(rest)]) == rest:
            return len(rest)
    return None


def _characters(chosen: npt.NDArray[np.bool_]) -> str:
    """The inside of a character class: the code points that are chosen, in runs."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]])))
    runs = edges.reshape(-1, 2) - [0, 1]
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in runs.tolist())


def _is_unspaced(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in UNSPACED_SCRIPTS)
