"""Gopher's repetition signals (Rae et al. 2021, arXiv 2112.11446, table A1).

The paper names the shares; tools count them in different ways, so that the same limits keep
different documents. These are datatrove's measures, with words as `str.split()` gives them:

- lines are parted by one newline or more, paragraphs (of the stripped text) by two or more;
- a line counts as repeated from its second copy on;
- every share of characters is over all characters of the text, white space included;
- top n-gram: the first of the commonest n-grams, its length with single spaces times its count,
  even if the count is 1;
- repeated n-grams: from the left, an n-gram seen before counts its characters without spaces and is
  jumped over; another moves on by one word.

Worked example, "a b a b a b": the commonest 2-gram "a b" comes 3 times, 3 * 3 / 11 characters. Of
repeated 2-grams (were they asked for): "a b" and "b a" are new, "a b" at the third word is
repeated, and so is the next "a b": 4 / 11.
"""

import re
from collections import Counter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from tasks.quality.words import SPACE, Block, Characters, Flags, Hashes, Offsets, character_flags
from tasks.text import gopher_words

Counts: TypeAlias = npt.NDArray[np.int64]
Slots: TypeAlias = npt.NDArray[np.int32]
Marks: TypeAlias = npt.NDArray[np.uint8]
Scalar: TypeAlias = Any  # a number inside a kernel

TOP_N = (2, 3, 4)
DUP_N = (5, 6, 7, 8, 9, 10)
SCHEMA = pa.schema(
    [
        ("dup_paragraph_fraction", pa.float64()),
        ("dup_paragraph_char_fraction", pa.float64()),
        ("dup_line_fraction", pa.float64()),
        ("dup_line_char_fraction", pa.float64()),
        *((f"top_{n}_gram_char_fraction", pa.float64()) for n in TOP_N),
        *((f"dup_{n}_gram_char_fraction", pa.float64()) for n in DUP_N),
    ]
)

BASE = np.uint64(0x9E3779B97F4A7C15)
SPREAD = np.uint64(0xD6E8FEB86659FD93)
HALF = np.uint64(32)


def repetition_signals(block: Block) -> dict[str, npt.NDArray[np.float64]]:
    """Return a column per field of SCHEMA for the documents of a block."""
    shares = _measure(
        character_flags(), block.characters, block.offsets, block.word_offsets, block.sums,
        block.inverses, block.lengths, block.line_offsets, block.line_ends, block.line_keys,
        block.visible,
    )  # fmt: skip
    return dict(zip(SCHEMA.names, shares.T, strict=True))


def plain_repetition_signals(text: str) -> dict[str, float]:
    """Return the signals of one text, by the definitions; slow."""
    chars = max(len(text), 1)
    paragraphs = re.split(r"\n{2,}", text.strip())
    lines = re.split(r"\n+", text)
    words = gopher_words(text)
    repeated_paragraphs, repeated_lines = _plain_repeated(paragraphs), _plain_repeated(lines)
    shares = {
        "dup_paragraph_fraction": len(repeated_paragraphs) / len(paragraphs),
        "dup_paragraph_char_fraction": sum(map(len, repeated_paragraphs)) / chars,
        "dup_line_fraction": len(repeated_lines) / len(lines),
        "dup_line_char_fraction": sum(map(len, repeated_lines)) / chars,
    }
    for n in TOP_N:
        grams = Counter(" ".join(words[i : i + n]) for i in range(len(words) - n + 1))
        top, count = grams.most_common(1)[0] if grams else ("", 0)
        shares[f"top_{n}_gram_char_fraction"] = len(top) * count / chars
    for n in DUP_N:
        shares[f"dup_{n}_gram_char_fraction"] = _plain_repeated_chars(words, n) / chars
    return shares


def _plain_repeated(parts: list[str]) -> list[str]:
    """The parts that were there before."""
    seen: set[str] = set()
    return [part for part in parts if part in seen or seen.add(part)]  # type: ignore[func-returns-value]


def _plain_repeated_chars(words: list[str], n: int) -> int:
    seen, chars, i = set(), 0, 0
    while i + n <= len(words):
        gram = "".join(words[i : i + n])
        if gram in seen:
            chars += len(gram)
            i += n
        else:
            seen.add(gram)
            i += 1
    return chars


# ---- compiled


@njit()
def _find(table: Slots, keys: Hashes, key: Scalar) -> Scalar:
    """The place of `key` in an open hash table, or a free one.

    `table` is a power of two of places, at most half of them taken: an index of `keys` plus 1,
    or 0.
    """
    mask = np.uint64(len(table) - 1)
    place = (key * SPREAD >> HALF) & mask
    while table[place] != 0 and keys[table[place] - 1] != key:
        place = (place + np.uint64(1)) & mask
    return place


@njit()
def _clean_table(table: Slots, items: int) -> Slots:
    """The smallest part of `table` that is at most half full with so many items, cleaned."""
    size = 4
    while size < 2 * items:
        size *= 2
    for place in range(size):
        table[place] = 0
    return table[:size]


@njit()
def _count_repeated(keys: Hashes, sizes: Offsets, number: int, table: Slots) -> tuple[int, int]:
    """How many of so many parts were there before, and their characters."""
    used = _clean_table(table, number)
    repeated, chars = 0, 0
    for i in range(number):
        place = _find(used, keys, keys[i])
        if used[place] == 0:
            used[place] = i + 1
        else:
            repeated += 1
            chars += sizes[i]
    return repeated, chars


@njit()
def _put_lines(start: int, ends: Offsets, lines: Hashes, keys: Hashes, sizes: Offsets) -> int:
    """Put the lines between runs of newlines into `keys` and `sizes`; return how many.

    The lines given are between single newlines: empty ones count at the edges of the text alone.
    """
    number, last = 0, len(ends) - 1
    for line in range(len(ends)):
        size = ends[line] - start
        if size > 0 or line == 0 or line == last:
            keys[number], sizes[number] = lines[line], size
            number += 1
        start = ends[line] + 1
    return number


@njit()
def _strip(
    characters: Characters, begin: int, end: int, left: bool, right: bool, flags_of: Flags
) -> tuple[int, int, Scalar]:
    """Where a line begins and ends once stripped, and its hash."""
    while left and begin < end and flags_of[characters[begin]] & SPACE:
        begin += 1
    while right and begin < end and flags_of[characters[end - 1]] & SPACE:
        end -= 1
    key = np.uint64(0)
    for i in range(begin, end):
        key = key * BASE + np.uint64(characters[i]) + np.uint64(1)
    return begin, end, key


@njit()
def _put_paragraphs(
    characters: Characters,
    start: int,
    ends: Offsets,
    lines: Hashes,
    visible: Flags,
    flags_of: Flags,
    keys: Hashes,
    sizes: Offsets,
) -> int:
    """Put the paragraphs of the stripped text into `keys` and `sizes`; return how many."""
    first, last = 0, len(ends) - 1
    while first < last and not visible[first]:
        start = ends[first] + 1
        first += 1
    while last > first and not visible[last]:
        last -= 1
    number, after_empty = 0, True
    for line in range(first, last + 1):
        begin, end, key = start, ends[line], lines[line]
        start = end + 1
        if line in (first, last):  # stripped on the outer side
            begin, end, key = _strip(characters, begin, end, line == first, line == last, flags_of)
        elif begin == end:
            after_empty = True
            continue
        if after_empty:
            keys[number], sizes[number], after_empty = np.uint64(0), -1, False
            number += 1
        whole = keys[number - 1]
        keys[number - 1] = (whole ^ (whole >> HALF)) * SPREAD + key + np.uint64(1)
        sizes[number - 1] += 1 + end - begin  # the newline before it too, but for the first
    return number


@njit()
def _mark_twins(keys: Hashes, marks: Marks) -> Marks:
    """Count up to 2 how often keys meet in a small table; one that meets no other is unique.

    That leaves about one key in sixteen to look up for nothing, and all others at no cost.
    """
    size = 16
    while size < 16 * len(keys):
        size *= 2
    used = marks[:size]
    used[:] = 0
    mask = np.uint64(size - 1)
    for key in keys:
        place = (key * SPREAD >> HALF) & mask
        used[place] += used[place] < 2
    return used


@njit()
def _may_have_twin(marks: Marks, key: Scalar) -> Scalar:
    return marks[(key * SPREAD >> HALF) & np.uint64(len(marks) - 1)] > 1


@njit()
def _top_chars(
    grams: Hashes, lengths: Offsets, n: int, table: Slots, counts: Slots, marks: Marks
) -> Scalar:
    """Characters of the commonest n-gram, given the n-grams' hashes; the first of equals."""
    if not len(grams):
        return 0
    used, twins = _clean_table(table, len(grams)), _mark_twins(grams, marks)
    top, most = 0, 1
    for i in range(len(grams)):
        if not _may_have_twin(twins, grams[i]):
            continue
        place = _find(used, grams, grams[i])
        if used[place] == 0:
            used[place] = i + 1
            counts[i] = 1
            continue
        first = used[place] - 1
        counts[first] += 1
        if counts[first] > most or (counts[first] == most and first < top):
            top, most = first, counts[first]
    return (lengths[top + n] - lengths[top] + n - 1) * most


@njit()
def _repeated_chars(
    sums: Hashes,
    inverses: Hashes,
    lengths: Offsets,
    n: int,
    table: Slots,
    keys: Hashes,
    marks: Marks,
) -> int:
    """Characters of repeated n-grams, from the left, jumping over each."""
    count = len(inverses) - n + 1
    if count <= 0:
        return 0
    for i in range(count):
        keys[i] = (sums[i + n] - sums[i]) * inverses[i]
    used, twins = _clean_table(table, count), _mark_twins(keys[:count], marks)
    chars, i = 0, 0
    while i < count:
        if _may_have_twin(twins, keys[i]):
            place = _find(used, keys, keys[i])
            if used[place] != 0:
                chars += lengths[i + n] - lengths[i]
                i += n
                continue
            used[place] = i + 1
        i += 1
    return chars


@njit(
    "float64[:, ::1](uint8[::1], uint32[::1], int64[::1], int64[::1], uint64[::1], uint64[::1], "
    "int64[::1], int64[::1], int64[::1], uint64[::1], uint8[::1])",
    cache=True,
)
def _measure(
    flags_of: Flags,
    characters: Characters,
    offsets: Offsets,
    word_offsets: Offsets,
    all_sums: Hashes,
    all_inverses: Hashes,
    all_lengths: Offsets,
    line_offsets: Offsets,
    line_ends: Offsets,
    line_keys: Hashes,
    visible: Flags,
) -> npt.NDArray[np.float64]:
    """Return the shares (N, fields of SCHEMA) of the documents of a block."""
    most = 1  # of words or lines in one document
    for document in range(len(offsets) - 1):
        most = max(most, word_offsets[document + 1] - word_offsets[document])
        most = max(most, line_offsets[document + 1] - line_offsets[document])
    keys, grams, sizes = (
        np.empty(most, np.uint64),
        np.empty(most, np.uint64),
        np.empty(most, np.int64),
    )
    counts, table = np.empty(most, np.int32), np.empty(4 * most + 4, np.int32)
    marks = np.empty(32 * most + 16, np.uint8)
    shares = np.zeros((len(offsets) - 1, 4 + len(TOP_N) + len(DUP_N)), np.float64)
    for document in range(len(shares)):
        row, begin = shares[document], offsets[document]
        chars = max(offsets[document + 1] - begin, 1)
        start, end = line_offsets[document], line_offsets[document + 1]
        ends, lines = line_ends[start:end], line_keys[start:end]
        number = _put_paragraphs(
            characters, begin, ends, lines, visible[start:end], flags_of, keys, sizes
        )
        repeated, repeated_chars = _count_repeated(keys, sizes, number, table)
        row[0], row[1] = repeated / number, repeated_chars / chars
        number = _put_lines(begin, ends, lines, keys, sizes)
        repeated, repeated_chars = _count_repeated(keys, sizes, number, table)
        row[2], row[3] = repeated / number, repeated_chars / chars

        start, end = word_offsets[document], word_offsets[document + 1]
        sums, lengths = all_sums[start : end + 1], all_lengths[start : end + 1]
        inverses = all_inverses[start:end]
        for k in range(end - start):
            word = (sums[k + 1] - sums[k]) * inverses[k] * SPREAD
            keys[k] = word ^ (word >> HALF)
            grams[k] = keys[k]
        for n in TOP_N:
            for k in range(end - start - n + 1):
                grams[k] = grams[k] * BASE + keys[k + n - 1]
            count = max(end - start - n + 1, 0)
            row[2 + n] = _top_chars(grams[:count], lengths, n, table, counts, marks) / chars
        for n in DUP_N:
            row[2 + n] = _repeated_chars(sums, inverses, lengths, n, table, keys, marks) / chars
    return shares
