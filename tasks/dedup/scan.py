"""One pass over a document's UTF-8: its normal form, and the hash of each of its MinHash words.

This loop is where deduplication spends its time (permuting shingles is a fifth of it), so it is
compiled, and text in ASCII goes through it without a branch that depends on the text. It reads
what `tasks.text` defines: `normalise` and `minhash_words` are its slow twins, and tests hold the
two equal.

Compiled functions call those of their own file only: numba's cache does not see others change.
"""

import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit, types

from tasks.text import DROPPED, Kind, character_table

Bytes: TypeAlias = npt.NDArray[np.uint8]
Offsets: TypeAlias = npt.NDArray[np.int64]
WordHashes: TypeAlias = npt.NDArray[np.uint64]
Scalar: TypeAlias = Any  # a number inside a kernel, of the type that its signature gives

# Types of the kernels' arguments; Arrow's buffers are read-only.
READ_ONLY_BYTES = types.Array(types.uint8, 1, "C", readonly=True)
READ_ONLY_OFFSETS = types.Array(types.int64, 1, "C", readonly=True)

BLOCK_TEXTS = 256

# A word's hash is FNV-1a over its code points. All arithmetic is modulo 2**64 and typed: numba
# makes uint32 * uint32 a uint64, and uint64 + int64 a float64.
FNV_SEED = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)

ZERO, ONE, TWO = np.uintp(0), np.uintp(1), np.uintp(2)
SPACE = np.uint8(0x20)
DROP = np.uint32(DROPPED)
LETTER, MARK, ALONE = np.uintp(Kind.LETTER), np.uintp(Kind.MARK), np.uintp(Kind.ALONE)
FIRST_COMPOSING_BYTE = 0xCC  # leads U+0300, the first character that NFC may change or merge


class Texts(NamedTuple):
    """A column of texts as Arrow lays it out: all bytes, and where each text begins and ends."""

    data: Bytes
    offsets: Offsets  # (len(column) + 1,)


def composed_texts(column: pa.Array) -> Texts:
    """Return the column's bytes in NFC; texts that are so already, nearly all, are not copied.

    Raises:
        pyarrow.ArrowInvalid: when a text is not UTF-8; the kernels rely on it.
    """
    column = column.cast(pa.large_string())
    column.validate(full=True)
    texts = _texts(column)
    suspects = np.flatnonzero(max_bytes(texts.data, texts.offsets) >= FIRST_COMPOSING_BYTE)
    composed = {}
    for row in suspects.tolist():
        text = column[row].as_py()
        if not unicodedata.is_normalized("NFC", text):
            composed[row] = unicodedata.normalize("NFC", text)
    if not composed:
        return texts
    changed = np.zeros(len(column), dtype=bool)
    changed[list(composed)] = True
    values = pa.array(list(composed.values()), pa.large_string())
    return _texts(pc.replace_with_mask(column, pa.array(changed), values))


def _texts(column: pa.LargeStringArray) -> Texts:
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, np.int64) if offsets else np.zeros(1, np.int64)
    rows = bounds[column.offset : column.offset + len(column) + 1]
    return Texts(np.frombuffer(data or b"", np.uint8), rows)


@njit(types.uint8[::1](READ_ONLY_BYTES, READ_ONLY_OFFSETS), cache=True)
def max_bytes(data: Bytes, offsets: Offsets) -> Bytes:
    """Return the largest byte of each text: below 0x80 it is ASCII."""
    largest = np.zeros(len(offsets) - 1, np.uint8)
    for row in range(len(offsets) - 1):
        top = np.uint8(0)
        for byte in data[offsets[row] : offsets[row + 1]]:
            top = max(top, byte)
        largest[row] = top
    return largest


@njit(inline="always")
def decode(data: Bytes, i: Scalar) -> tuple[Scalar, Scalar]:
    """Return the code point whose bytes begin at `i`, above ASCII, and how many they are."""
    lead, second = np.uint32(data[i]), np.uint32(data[i + ONE] & 0x3F)
    if lead < 0xE0:
        return np.uint32((lead & 0x1F) << 6 | second), TWO
    third = np.uint32(data[i + TWO] & 0x3F)
    if lead < 0xF0:
        return np.uint32((lead & 0x0F) << 12 | second << 6 | third), np.uintp(3)
    fourth = np.uint32(data[i + np.uintp(3)] & 0x3F)
    return np.uint32((lead & 0x07) << 18 | second << 12 | third << 6 | fourth), np.uintp(4)


@njit(inline="always")
def encode(code_point: Scalar, out: Bytes, i: Scalar) -> Scalar:
    """Write the code point's UTF-8 at `i`; return how many bytes it takes."""
    if code_point < 0x80:
        out[i] = code_point
        return ONE
    last = np.uint8(0x80 | (code_point & 0x3F))
    if code_point < 0x800:
        out[i] = 0xC0 | (code_point >> 6)
        out[i + ONE] = last
        return TWO
    if code_point < 0x10000:
        out[i] = 0xE0 | (code_point >> 12)
        out[i + ONE] = 0x80 | ((code_point >> 6) & 0x3F)
        out[i + TWO] = last
        return np.uintp(3)
    out[i] = 0xF0 | (code_point >> 18)
    out[i + ONE] = 0x80 | ((code_point >> 12) & 0x3F)
    out[i + TWO] = 0x80 | ((code_point >> 6) & 0x3F)
    out[i + np.uintp(3)] = last
    return np.uintp(4)


@njit()
def _scan(
    data: Bytes,
    start: Scalar,
    end: Scalar,
    fold: npt.NDArray[np.uint32],
    kind: Bytes,
    normal: Bytes,
    position: Scalar,
    words: WordHashes,
    count: Scalar,
) -> tuple[Scalar, Scalar]:
    """Read one text, `data[start:end]`; return where its normal form and its words end.

    `before` is the state between characters: 0 outside words, LETTER in a run of letters and
    marks, 2 after a character that is a word alone. A word's hash is stored at every character
    and counted when the word ends, which needs no branch.
    """
    begin, i = position, start
    spaced, before, hashed = ONE, ZERO, FNV_SEED
    while i < end:
        if before == TWO and data[i] < 0x80:  # no mark can follow: the lone word ends here
            words[count] = hashed
            count += ONE
            before, hashed = ZERO, FNV_SEED
        while i < end and data[i] < 0x80:
            folded = np.uint8(fold[data[i]])
            is_space = np.uintp(folded == SPACE)
            normal[position] = folded
            position += ONE - (is_space & spaced)
            spaced = is_space
            this = np.uintp(kind[folded])  # SEPARATOR or LETTER: 0 or 1
            words[count] = hashed
            count += before & ~this
            hashed = (hashed ^ np.uint64(folded)) * FNV_PRIME if this else FNV_SEED
            before = this
            i += ONE
        if i >= end:
            break
        code_point, size = decode(data, i)
        i += size
        wide = fold[code_point]
        if wide == DROP:
            continue
        is_space = np.uintp(wide == SPACE)
        if not (is_space & spaced):
            position += encode(wide, normal, position)
        spaced = is_space
        this = np.uintp(kind[wide])
        if not ((this == MARK and before != ZERO) or (this == LETTER and before == LETTER)):
            words[count] = hashed
            count += np.uintp(before != ZERO)
            hashed = FNV_SEED
            before = TWO if this == ALONE else np.uintp(this != ZERO)
        if this != ZERO:
            hashed = (hashed ^ np.uint64(wide)) * FNV_PRIME
    words[count] = hashed
    count += np.uintp(before != ZERO)
    if spaced and position > begin:
        position -= ONE
    return position, count


@njit(
    types.void(
        READ_ONLY_BYTES, READ_ONLY_OFFSETS, types.uint32[::1], types.uint8[::1],
        types.uint8[::1], types.int64[::1], types.uint64[::1], types.int64[::1],
    ),
    cache=True,
)  # fmt: skip
def scan_texts(
    data: Bytes,
    offsets: Offsets,
    fold: npt.NDArray[np.uint32],
    kind: Bytes,
    normal: Bytes,
    normal_offsets: Offsets,
    words: WordHashes,
    word_offsets: Offsets,
) -> None:
    """Write the normal forms and the word hashes of valid UTF-8 in NFC, one text after the other.

    `fold` and `kind` are a `CharacterTable`; text i is `data[offsets[i]:offsets[i + 1]]`, and the
    four outputs are laid out alike. `scan_blocks` gives them their room.
    """
    position, count = ZERO, ZERO
    normal_offsets[0] = word_offsets[0] = 0
    for row in range(len(offsets) - 1):
        start, end = np.uintp(offsets[row]), np.uintp(offsets[row + 1])
        position, count = _scan(data, start, end, fold, kind, normal, position, words, count)
        normal_offsets[row + 1] = position
        word_offsets[row + 1] = count


class Scanned(NamedTuple):
    """Normal forms and word hashes of a block of texts."""

    normal: Bytes
    normal_offsets: Offsets
    words: WordHashes
    word_offsets: Offsets


def scan_blocks(texts: Texts) -> Iterator[Scanned]:
    """Scan block by block, so that what is written stays in the cache; each overwrites the last."""
    table = character_table()
    num_texts = len(texts.offsets) - 1
    edges = [*range(0, num_texts, BLOCK_TEXTS), num_texts]
    blocks = [texts.offsets[first : last + 1] for first, last in pairwise(edges)]
    num_bytes = max((int(block[-1] - block[0]) for block in blocks), default=0)
    normal = np.empty(num_bytes * 3 // 2 + 1, np.uint8)  # two bytes may fold to three
    # A word and what ends it take two bytes, the last word of a text one, and one place is spare.
    words = np.empty(num_bytes // 2 + BLOCK_TEXTS + 1, np.uint64)
    bounds = np.empty((2, BLOCK_TEXTS + 1), np.int64)
    for block in blocks:
        normal_offsets, word_offsets = bounds[:, : len(block)]
        scan_texts(texts.data, block, *table, normal, normal_offsets, words, word_offsets)
        yield Scanned(normal, normal_offsets, words, word_offsets)


def word_hash(word: str) -> int:
    """Return what the kernel stores for a word of the normal form; in Python, for tests."""
    hashed = int(FNV_SEED)
    for character in word:
        hashed = ((hashed ^ ord(character)) * int(FNV_PRIME)) % 2**64
    return hashed
