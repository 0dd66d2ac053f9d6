r"""Texts as a stream of words, in which repeated spans are looked for.

A *word* here is what white space separates, punctuation included, so that cutting at words leaves
none behind; a character of a script without spaces begins a word of its own (`tasks.text.Kind`).
The stream holds each word's UTF-8 bytes and one space, so two spans are equal whatever white space
their words are set in. Letters and case count: equal means equal.

>>> words = read_words(pa.array(["Copy,\n that", "你好!"]))
>>> bytes(words.stream).decode()
'Copy, that 你 好! '

Compiled functions call those of their own file only: numba's cache does not see others change.
"""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit, types

from tasks.text import Kind, character_table

Bytes: TypeAlias = npt.NDArray[np.uint8]
Places: TypeAlias = npt.NDArray[np.int64]
Hashes: TypeAlias = npt.NDArray[np.uint64]
Scalar: TypeAlias = Any  # a number inside a kernel, of the type that its signature gives

# What a character is to a word.
BREAK, ALONE, LETTER, OTHER = np.uint8(0), np.uint8(1), np.uint8(2), np.uint8(3)
# Where the kernel is: between words, in a word, in one that a lone character began.
OUTSIDE, INSIDE, AFTER_ALONE = np.uint8(0), np.uint8(1), np.uint8(2)

READ_ONLY_BYTES = types.Array(types.uint8, 1, "C", readonly=True)
READ_ONLY_PLACES = types.Array(types.int64, 1, "C", readonly=True)
BLOCK_BYTES = 4_000_000  # read at once: what a stream takes is about ten times that

FNV_SEED = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
ONE, TWO, THREE, FOUR = np.uintp(1), np.uintp(2), np.uintp(3), np.uintp(4)
SPACE = np.uint8(0x20)


class Words(NamedTuple):
    """The words of some texts, one text after the other."""

    stream: Bytes  # every word's bytes and a space
    starts: Places  # (words + 1,) where each word begins in the stream, and its end
    hashes: Hashes  # (words,)
    first: Places  # (words,) its first character in its text
    last: Places  # (words,) one past its last
    text_words: Places  # (texts + 1,) the number of the first word of each text


def read_words(texts: pa.Array) -> Words:
    """The words of a column of texts."""
    column = texts.cast(pa.large_string())
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, np.int64) if offsets else np.zeros(1, np.int64)
    rows = bounds[column.offset : column.offset + len(column) + 1]
    return Words(*_read(np.frombuffer(data or b"", np.uint8), rows, _classes()))


@cache
def _classes() -> Bytes:
    """What every code point is to a word."""
    table = character_table()
    classes = np.full(len(table.kind), OTHER)
    classes[table.kind == Kind.LETTER] = LETTER
    classes[table.kind == Kind.ALONE] = ALONE
    classes[table.fold == SPACE] = BREAK
    return classes


def blocks(texts: pa.Array) -> Iterator[tuple[int, Words]]:
    """The words of a column block by block, with the row that each block begins at."""
    sizes = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    block_of = np.cumsum(sizes) // BLOCK_BYTES
    edges = [0, *(np.flatnonzero(np.diff(block_of)) + 1).tolist(), len(texts)]
    for first, last in pairwise(edges):
        if last > first:
            yield first, read_words(texts.slice(first, last - first))


@njit(inline="always")
def _decode(data: Bytes, i: Scalar) -> tuple[Scalar, Scalar]:
    """The code point whose bytes begin at `i`, above ASCII, and how many they are."""
    lead, second = np.uint32(data[i]), np.uint32(data[i + ONE] & 0x3F)
    if lead < 0xE0:
        return np.uint32((lead & 0x1F) << 6 | second), TWO
    third = np.uint32(data[i + TWO] & 0x3F)
    if lead < 0xF0:
        return np.uint32((lead & 0x0F) << 12 | second << 6 | third), THREE
    fourth = np.uint32(data[i + THREE] & 0x3F)
    return np.uint32((lead & 0x07) << 18 | second << 12 | third << 6 | fourth), FOUR


@njit([(READ_ONLY_BYTES, READ_ONLY_PLACES, types.uint8[::1])], cache=True)
def _read(
    data: Bytes, bounds: Places, classes: Bytes
) -> tuple[Bytes, Places, Hashes, Places, Places, Places]:
    """`Words` of the texts `data[bounds[i]:bounds[i + 1]]`, which are valid UTF-8."""
    texts, size = len(bounds) - 1, bounds[-1] - bounds[0]
    # The shortest words are a byte and a space, or a byte and a lone character of three.
    stream = np.empty(size + size // 2 + texts + 1, np.uint8)
    room = size // 2 + texts + 1
    starts, hashes = np.empty(room + 1, np.int64), np.empty(room, np.uint64)
    first, last = np.empty(room, np.int64), np.empty(room, np.int64)
    text_words = np.zeros(texts + 1, np.int64)
    end, count = np.uintp(0), np.uintp(0)
    for row in range(texts):
        place, character, hashed = OUTSIDE, 0, FNV_SEED
        i, text_end = np.uintp(bounds[row]), np.uintp(bounds[row + 1])
        while i < text_end:
            width, code_point = ONE, np.uint32(data[i])
            if code_point >= 0x80:
                code_point, width = _decode(data, i)
            this = classes[code_point]
            begins = this == ALONE or (
                this != BREAK and (place == OUTSIDE or (place == AFTER_ALONE and this == LETTER))
            )
            if place != OUTSIDE and (begins or this == BREAK):  # a word ends
                hashes[count], last[count], stream[end] = hashed, character, SPACE
                end += ONE
                count += ONE
                place = OUTSIDE
            if begins:
                starts[count], first[count], hashed = end, character, FNV_SEED
                place = AFTER_ALONE if this == ALONE else INSIDE
            if this != BREAK:
                for _ in range(width):
                    stream[end] = data[i]
                    hashed = (hashed ^ np.uint64(data[i])) * FNV_PRIME
                    end += ONE
                    i += ONE
            else:
                i += width
            character += 1
        if place != OUTSIDE:
            hashes[count], last[count], stream[end] = hashed, character, SPACE
            end += ONE
            count += ONE
        text_words[row + 1] = count
    starts[count] = end
    return (
        stream[:end],
        starts[: count + ONE],
        hashes[:count],
        first[:count],
        last[:count],
        text_words,
    )
