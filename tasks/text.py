"""Text defined once: its normal form, its n-grams, and what each stage calls a word.

A filter's numbers mean nothing without its definition of a word, so the definitions have names:

- *Gopher word*: what white space separates, `str.split()`. Rae et al. 2021 (arXiv 2112.11446,
  appendix A.1) leave it open; this is the reading under which their thresholds were published
  by others, and punctuation glued to a word stays in it.
- *MinHash word*: a run of letters, digits, underscores and combining marks of the normal form.
  Marks are in it, so Devanagari does not break at its vowel signs. A character of a script that is
  written without spaces (Han, Hiragana, Thai, Khmer, ...) is a word of its own, with its marks, so
  that five words are a shingle in any script. After Unicode annex 29, rules WB4 to WB13, without
  the dictionaries it allows for.
"""

import unicodedata
from collections.abc import Sequence
from enum import IntEnum
from functools import cache
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

NUM_CODE_POINTS = 0x110000
DROPPED = (
    0xFFFF_FFFF  # marks, in `CharacterTable.fold`, a character that the normal form leaves out
)

# First and last code point of the scripts written without spaces between words.
UNSPACED_SCRIPTS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x3005, 0x3007),  # ideographic iteration mark, closing mark, zero
    (0x3040, 0x309F),  # Hiragana
    (0x3400, 0x4DBF),  # Han, extension A
    (0x4E00, 0x9FFF),  # Han
    (0xA9E0, 0xA9FF),  # Myanmar, extension B
    (0xAA60, 0xAADF),  # Myanmar, extension A; Tai Viet
    (0xF900, 0xFAFF),  # Han, compatibility
    (0x20000, 0x3FFFF),  # Han, extensions B and on
)

T = TypeVar("T")


class Kind(IntEnum):
    """What a character does to a MinHash word."""

    SEPARATOR = 0  # ends it
    LETTER = 1  # joins the letters before it
    MARK = 2  # joins whatever is before it
    ALONE = 3  # is a word, joined by marks only


class CharacterTable(NamedTuple):
    """`fold` and `kind` of every code point, as arrays for compiled kernels."""

    fold: npt.NDArray[np.uint32]  # (NUM_CODE_POINTS,) the folded code point, or DROPPED
    kind: npt.NDArray[np.uint8]  # (NUM_CODE_POINTS,) a `Kind`


class _Folds(dict[int, str]):
    """Folded characters by code point, for `str.translate`; filled as they are met."""

    def __missing__(self, code_point: int) -> str:
        folded = self[code_point] = fold(chr(code_point))
        return folded


def fold(character: str) -> str:
    """One character of the normal form: lower case, " " for white space, "" for format characters.

    Lower case is the one-to-one mapping, so a text never grows. Format characters (soft hyphen,
    zero-width joiners, byte order mark) are invisible; the zero-width space does separate words.
    """
    if character.isspace() or character == "\u200b":
        return " "
    if unicodedata.category(character) == "Cf":
        return ""
    lower = character.lower()
    return lower if len(lower) == 1 else character


def kind(character: str) -> Kind:
    """Return what a character of the normal form does to a MinHash word."""
    if unicodedata.category(character).startswith("M"):
        return Kind.MARK
    if not (character.isalnum() or character == "_"):
        return Kind.SEPARATOR
    code_point = ord(character)
    alone = any(first <= code_point <= last for first, last in UNSPACED_SCRIPTS)
    return Kind.ALONE if alone else Kind.LETTER


def normalise(text: str) -> str:
    """Return the normal form in which two texts are the same: NFC, folded, single spaces.

    >>> normalise("  Don't   SHOUT, Émile ")
    "don't shout, émile"
    """
    folded = unicodedata.normalize("NFC", text).translate(_FOLDS)
    return " ".join(folded.split())


def gopher_words(text: str) -> list[str]:
    """Return the Gopher words of a text: what white space separates.

    >>> gopher_words("Hello, world -- it's 5pm.")
    ['Hello,', 'world', '--', "it's", '5pm.']
    """
    return text.split()


def minhash_words(text: str) -> list[str]:
    """Return the MinHash words of a text, in order.

    >>> minhash_words("Don't use snake_case: 你好 हिन्दी")
    ['don', 't', 'use', 'snake_case', '你', '好', 'हिन्दी']
    """
    words: list[str] = []
    before = Kind.SEPARATOR  # what ended the last word: nothing, a run of letters, a lone character
    for character in normalise(text):
        this = kind(character)
        joins = this == Kind.LETTER == before or (this == Kind.MARK and before != Kind.SEPARATOR)
        if joins:
            words[-1] += character
        elif this != Kind.SEPARATOR:
            words.append(character)
            before = Kind.ALONE if this == Kind.ALONE else Kind.LETTER
        else:
            before = Kind.SEPARATOR
    return words


def ngrams(items: Sequence[T], n: int) -> list[tuple[T, ...]]:
    """Return the n-grams of a sequence in order; none if it is shorter than `n`.

    >>> ngrams("abcd", 3)
    [('a', 'b', 'c'), ('b', 'c', 'd')]
    """
    return [tuple(items[i : i + n]) for i in range(len(items) - n + 1)]


@cache
def code_points() -> npt.NDArray[np.str_]:
    """Every code point as a one-character string, to ask numpy about all of them at once."""
    return np.arange(NUM_CODE_POINTS, dtype=np.uint32).view("U1")


@cache
def categories() -> npt.NDArray[np.bytes_]:
    """Return the general category of every code point, such as `b"Lu"`."""
    names = "".join(map(unicodedata.category, map(chr, range(NUM_CODE_POINTS))))
    return np.frombuffer(names.encode("ascii"), dtype="S2")


@cache
def character_table() -> CharacterTable:
    """Build `fold` and `kind` for every code point; about 0.2 s, once per process."""
    lower = np.arange(NUM_CODE_POINTS, dtype=np.uint32)
    lower[:0x20000] = np.strings.lower(code_points()[:0x20000]).view(np.uint32)  # all that has case
    lower[0x130] = 0x130  # capital I with dot: the one character whose lower case is two
    spaces = np.strings.isspace(code_points())
    spaces[0x200B] = True
    fold_to = np.where(spaces, np.uint32(ord(" ")), lower)
    fold_to[(categories() == b"Cf") & ~spaces] = DROPPED

    marks = categories().view("S1")[::2] == b"M"
    letters = np.strings.isalnum(code_points()) & ~marks
    letters[ord("_")] = True
    kinds = letters.astype(np.uint8)  # SEPARATOR or LETTER
    kinds[marks] = Kind.MARK
    for first, last in UNSPACED_SCRIPTS:
        block = kinds[first : last + 1]
        block[block == Kind.LETTER] = Kind.ALONE
    return CharacterTable(fold_to, kinds)


_FOLDS = _Folds()
