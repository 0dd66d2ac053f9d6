"""Anchors: places by which a repeated span is recognised before any text is compared.

Of every `length` units in a row (words, or bytes of the word stream), the `length - gram + 1`
grams in them are hashed, and the first with the smallest hash is an anchor (winnowing: Schleimer,
Wilkerson and Aiken 2003). What is chosen depends on these units alone, so wherever the same span
stands, it has the same anchor: spans whose anchors' hashes come once need not be looked at. About
2 of `length - gram + 2` places are anchors, one in 80 bytes for spans of 50 words.

Compiled functions call those of their own file only: numba's cache does not see others change.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

from tasks.dedup.word_stream import Hashes, Places, Words

Scalar: TypeAlias = Any  # a number inside a kernel, of the type that its signature gives

BASE = np.uint64(0x9E3779B97F4A7C15)  # of the polynomial that a gram's hash is, modulo 2**64
FIRST_SHIFT, FIRST_PRIME = np.uint64(33), np.uint64(0xFF51AFD7ED558CCD)
SECOND_PRIME = np.uint64(0xC4CEB9FE1A85EC53)


class Span(NamedTuple):
    """The least length of a repeated span, in words or in bytes."""

    length: int
    in_words: bool

    @property
    def gram(self) -> int:
        """Units of a gram: half of a span, long enough that few come twice by chance."""
        return self.length // 2


def first_units(words: Words, span: Span) -> Places:
    """The number of the first unit of each text of a block, and where the last ends."""
    return words.text_words if span.in_words else words.starts[words.text_words]


def units_of(words: Words, span: Span) -> Hashes:
    """A number per unit: a word's hash, or a byte of the stream."""
    return words.hashes if span.in_words else words.stream.astype(np.uint64) + np.uint64(1)


def find_anchors(words: Words, span: Span) -> tuple[Hashes, Places]:
    """The hashes of all anchors of a block of texts, and the first unit of each."""
    return _winnow(units_of(words, span), first_units(words, span), span.length, span.gram)


@njit(inline="always")
def _mix(value: Scalar) -> Scalar:
    """The finaliser of MurmurHash3: every bit of the result depends on every bit."""
    value = (value ^ (value >> FIRST_SHIFT)) * FIRST_PRIME
    value = (value ^ (value >> FIRST_SHIFT)) * SECOND_PRIME
    return value ^ (value >> FIRST_SHIFT)


@njit("int64(uint64[::1], int64, int64)", cache=True)
def _first_smallest(recent: Hashes, start: int, end: int) -> int:
    """Which of the grams from `start` to before `end` has the smallest hash; the first of equals.

    The hash of gram i is at `i % len(recent)`.
    """
    chosen = start
    for i in range(start + 1, end):
        if recent[i % len(recent)] < recent[chosen % len(recent)]:
            chosen = i
    return chosen


@njit("int64(uint64[::1], int64, int64, int64, uint64[::1], int64[::1], int64)", cache=True)
def _winnow_text(
    units: Hashes,
    first: int,
    length: int,
    gram: int,
    hashes: Hashes,
    places: Places,
    count: int,
) -> int:
    """Write the anchors of one text, whose units end where `units` do; return their new count."""
    window = length - gram + 1  # grams in a span
    recent = np.empty(window, np.uint64)
    lead = np.uint64(1)
    rolling = np.uint64(0)
    for i in range(first, first + gram - 1):
        lead *= BASE
        rolling = rolling * BASE + units[i]
    smallest, chosen = np.uint64(0), -1
    for i in range(first, len(units) - gram + 1):
        rolling = rolling * BASE + units[i + gram - 1]
        mixed = _mix(rolling)
        rolling -= units[i] * lead
        recent[i % window] = mixed
        if i - first < window - 1:
            continue
        before = chosen
        if chosen <= i - window:  # none yet, or the last one is out of the window
            chosen = _first_smallest(recent, i - window + 1, i + 1)
            smallest = recent[chosen % window]
        elif mixed < smallest:
            chosen, smallest = i, mixed
        if chosen != before:
            hashes[count], places[count] = smallest, chosen
            count += 1
    return count


@njit("Tuple((uint64[::1], int64[::1]))(uint64[::1], int64[::1], int64, int64)", cache=True)
def _winnow(units: Hashes, bounds: Places, length: int, gram: int) -> tuple[Hashes, Places]:
    hashes, places = np.empty(len(units), np.uint64), np.empty(len(units), np.int64)
    count = 0
    for row in range(len(bounds) - 1):
        first, end = bounds[row], bounds[row + 1]
        if end - first >= length:
            count = _winnow_text(units[:end], first, length, gram, hashes, places, count)
    return hashes[:count].copy(), places[:count].copy()


def plain_anchors(units: list[int], span: Span) -> list[int]:
    """The anchors of one text by the definition, slowly."""
    chosen = set()
    hashes = []
    for start in range(len(units) - span.gram + 1):
        rolling = 0
        for unit in units[start : start + span.gram]:
            rolling = (rolling * int(BASE) + unit) % 2**64
        for prime in (FIRST_PRIME, SECOND_PRIME):
            rolling = (rolling ^ (rolling >> 33)) * int(prime) % 2**64
        hashes.append(rolling ^ (rolling >> 33))
    window = span.length - span.gram + 1
    for start in range(len(hashes) - window + 1):
        own = hashes[start : start + window]
        chosen.add(start + own.index(min(own)))
    return sorted(chosen)
