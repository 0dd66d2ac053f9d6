"""The MinHash words of a text as numbers, with their places (`tasks.text.minhash_words`).

Items and documents are compared by these words: without case, punctuation, invisible characters
and Unicode forms.
"""

import unicodedata
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit, types

from tasks.text import DROPPED, Kind, character_table

Hashes: TypeAlias = npt.NDArray[np.uint64]
Places: TypeAlias = npt.NDArray[np.int64]
CodePoints: TypeAlias = npt.NDArray[np.uint32]

READ_ONLY_CODE_POINTS = types.Array(types.uint32, 1, "C", readonly=True)
FNV_SEED = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
DROP = np.uint32(DROPPED)
SEPARATOR, LETTER = np.uint8(Kind.SEPARATOR), np.uint8(Kind.LETTER)
MARK, ALONE = np.uint8(Kind.MARK), np.uint8(Kind.ALONE)


class Words(NamedTuple):
    """The words of a text in NFC."""

    text: str  # in NFC
    hashes: Hashes  # (words,)
    first: Places  # (words,) the first character of each word
    last: Places  # (words,) one past its last


def read_words(text: str) -> Words:
    """The words of a text.

    >>> words = read_words("Don't SHOUT!")
    >>> [words.text[a:b] for a, b in zip(words.first, words.last)]
    ['Don', 't', 'SHOUT']
    """
    text = composed(text)
    code_points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    table = character_table()
    return Words(text, *_read(code_points, table.fold, table.kind))


def composed(text: str) -> str:
    """The text in NFC; nearly all are."""
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


@njit([(READ_ONLY_CODE_POINTS, types.uint32[::1], types.uint8[::1])], cache=True)
def _read(
    code_points: CodePoints, fold: CodePoints, kind: npt.NDArray[np.uint8]
) -> tuple[Hashes, Places, Places]:
    size = len(code_points)
    hashes = np.empty(size, np.uint64)
    first, last = np.empty(size, np.int64), np.empty(size, np.int64)
    count = -1  # the present word
    before = SEPARATOR
    for index in range(size):
        folded = fold[code_points[index]]
        if folded == DROP:
            continue
        this = kind[folded]
        if this == SEPARATOR:
            before = SEPARATOR
            continue
        joins = (this == LETTER and before == LETTER) or (this == MARK and before != SEPARATOR)
        if not joins:
            count += 1
            hashes[count], first[count] = FNV_SEED, index
            before = ALONE if this == ALONE else LETTER
        hashes[count] = (hashes[count] ^ np.uint64(folded)) * FNV_PRIME
        last[count] = index + 1
    count += 1
    return hashes[:count].copy(), first[:count].copy(), last[:count].copy()
