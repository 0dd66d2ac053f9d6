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

NEWLINE = ord("\n")
BASE = np.uint64(0x9E3779B97F4A7C15)
SPREAD = np.uint64(0xD6E8FEB86659FD93)
HALF = np.uint64(32)


def repetition_signals(block: Block) -> dict[str, npt.NDArray[np.float64]]:
    """Return a column per field of SCHEMA for the documents of a block."""
    shares = _measure(
        block.characters, block.offsets, block.word_offsets, block.sums, block.inverses,
        block.lengths, character_flags(),
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
def _repeated_parts(
    characters: Characters, newlines: int, table: Slots, keys: Hashes
) -> tuple[int, int, int]:
    """Parts between runs of at least `newlines` newlines: all, repeated, repeated characters."""
    number, repeated, repeated_chars = 0, 0, 0
    start, i, key = 0, 0, np.uint64(0)
    most = 1
    for character in characters:
        most += character == NEWLINE
    used = _clean_table(table, most)
    while True:
        run = i
        while run < len(characters) and characters[run] == NEWLINE:
            run += 1
        at_end = i == len(characters)
        if not at_end and run - i < newlines:
            for k in range(i, max(run, i + 1)):
                key = key * BASE + np.uint64(characters[k] + np.uint32(1))
            i = max(run, i + 1)
            continue
        keys[number] = key
        place = _find(used, keys, key)
        if used[place] == 0:
            used[place] = number + 1
        else:
            repeated += 1
            repeated_chars += i - start
        number += 1
        if at_end:
            return number, repeated, repeated_chars
        start, i, key = run, run, np.uint64(0)


@njit()
def _top_chars(grams: Hashes, lengths: Offsets, n: int, table: Slots, counts: Slots) -> int:
    """Characters of the commonest n-gram, given the n-grams' hashes; the first of equals."""
    used = _clean_table(table, len(grams))
    for i in range(len(grams)):
        place = _find(used, grams, grams[i])
        if used[place] == 0:
            used[place] = i + 1
        counts[i] = 0
        counts[used[place] - 1] += 1
    top = 0
    for i in range(len(grams)):
        if counts[i] > counts[top]:
            top = i
    return (lengths[top + n] - lengths[top] + n - 1) * counts[top] if len(grams) else 0


@njit()
def _repeated_chars(
    sums: Hashes, inverses: Hashes, lengths: Offsets, n: int, table: Slots, keys: Hashes
) -> int:
    """Characters of repeated n-grams, from the left, jumping over each."""
    used = _clean_table(table, len(inverses))
    chars, i = 0, 0
    while i + n <= len(inverses):
        keys[i] = (sums[i + n] - sums[i]) * inverses[i]
        place = _find(used, keys, keys[i])
        if used[place] == 0:
            used[place] = i + 1
            i += 1
        else:
            chars += lengths[i + n] - lengths[i]
            i += n
    return chars


@njit()
def _strip(characters: Characters, flags_of: Flags) -> Characters:
    start, end = 0, len(characters)
    while start < end and flags_of[characters[start]] & SPACE:
        start += 1
    while start < end and flags_of[characters[end - 1]] & SPACE:
        end -= 1
    return characters[start:end]


@njit(
    "float64[:, ::1](uint32[::1], int64[::1], int64[::1], uint64[::1], uint64[::1], int64[::1], "
    "uint8[::1])",
    cache=True,
)
def _measure(
    characters: Characters,
    offsets: Offsets,
    word_offsets: Offsets,
    all_sums: Hashes,
    all_inverses: Hashes,
    all_lengths: Offsets,
    flags_of: Flags,
) -> npt.NDArray[np.float64]:
    """Return the shares (N, fields of SCHEMA) of the documents of a block."""
    most = 1  # of words or parts in one document
    for document in range(len(offsets) - 1):
        most = max(most, offsets[document + 1] - offsets[document] + 1)
    keys, grams = np.empty(most, np.uint64), np.empty(most, np.uint64)
    counts, table = np.empty(most, np.int32), np.empty(4 * most + 4, np.int32)
    shares = np.zeros((len(offsets) - 1, 4 + len(TOP_N) + len(DUP_N)), np.float64)
    for document in range(len(shares)):
        own, row = characters[offsets[document] : offsets[document + 1]], shares[document]
        chars = max(len(own), 1)
        number, repeated, repeated_chars = _repeated_parts(_strip(own, flags_of), 2, table, keys)
        row[0], row[1] = repeated / number, repeated_chars / chars
        number, repeated, repeated_chars = _repeated_parts(own, 1, table, keys)
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
            row[2 + n] = _top_chars(grams[:count], lengths, n, table, counts) / chars
        for n in DUP_N:
            row[2 + n] = _repeated_chars(sums, inverses, lengths, n, table, keys) / chars
    return shares
