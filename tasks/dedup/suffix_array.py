"""Repeated spans of a block of text, by its suffix array (Manber and Myers 1990; Lee et al. 2021).

The text is a word stream (`tasks.dedup.word_stream`) in regions. The *window* of a word is the
shortest run of words from it on that is long enough. A window is repeated when an equal one begins
earlier in the block; the words of all repeated windows are what is cut, so the first occurrence of
a span stays, and a longer repeat is several windows. In the suffix array, equal windows stand side
by side.

Memory: about 13 bytes for each of the text (itself, 4 the suffix array, 4 the words by place, 4
bounds of words), measured on documentation and sources.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from tasks.dedup.anchors import Span
from tasks.dedup.word_stream import SPACE, Bytes, Places

NO_WORD = -1


class Repeats(NamedTuple):
    """Runs of words that were there before; words are counted within their region."""

    region: Places
    first: Places
    last: Places  # one past the last word


def find_repeats(text: Bytes, regions: Places, span: Span) -> Repeats:
    """The repeated words of a block; its region i is `text[regions[i]:regions[i + 1]]`.

    >>> text = np.frombuffer(b"a b c d e a b c x b c d y ", np.uint8)
    >>> find_repeats(text, np.array([0, 10, 26]), Span(3, in_words=True))
    Repeats(region=array([1, 1]), first=array([0, 4]), last=array([3, 7]))
    """
    from pydivsufsort import divsufsort

    text = np.require(text, requirements=["C", "W"])
    starts = word_starts(text)
    ends = window_ends(starts, regions, span)
    word_at = np.full(len(text), NO_WORD, np.int32)
    whole = np.flatnonzero(ends != NO_WORD)
    word_at[starts[whole]] = whole
    if not len(whole):
        return Repeats(whole, whole, whole)
    ordered = _in_order(divsufsort(text), word_at, len(whole))
    del word_at, whole  # before the rest takes memory
    repeated = _repeated(text, starts, ends, ordered)
    return _runs(repeated, ends, np.searchsorted(starts, regions))


def word_starts(text: Bytes) -> Places:
    """Where each word of a stream begins, and the end of the last."""
    return np.concatenate([[0], np.flatnonzero(text == SPACE) + 1])


def window_ends(starts: Places, regions: Places, span: Span) -> Places:
    """One past the last word of each word's window; NO_WORD where the region ends before it."""
    words = np.arange(len(starts) - 1)
    region_ends = np.searchsorted(starts, regions[1:])  # words
    limit = np.repeat(region_ends, np.diff(region_ends, prepend=0))
    if span.in_words:
        ends = words + span.length
    else:  # the space after the last word is no part of the span
        ends = np.searchsorted(starts, starts[:-1] + span.length + 1)
    return np.where(ends <= limit, ends, NO_WORD)


def _runs(repeated: npt.NDArray[np.bool_], ends: Places, region_words: Places) -> Repeats:
    """The words that lie in a repeated window, as runs that do not cross the end of a region."""
    firsts = np.flatnonzero(repeated)
    changes = np.zeros(len(repeated) + 1, np.int64)
    changes[firsts] = 1
    np.add.at(changes, ends[firsts], -1)
    inside = np.cumsum(changes) > 0
    bounds = np.zeros(len(inside), dtype=bool)
    bounds[region_words] = True
    follows = np.concatenate([[False], inside[:-1]])
    first = np.flatnonzero(inside & (~follows | bounds))
    last = np.flatnonzero(follows & (~inside | bounds))
    region = np.searchsorted(region_words, first, side="right") - 1
    return Repeats(region, first - region_words[region], last - region_words[region])


@njit("int32[::1](int32[::1], int32[::1], int64)", cache=True)
def _in_order(
    suffixes: npt.NDArray[np.int32], word_at: npt.NDArray[np.int32], number: int
) -> npt.NDArray[np.int32]:
    """The words that begin at a suffix, `number` in all, in the order of the suffixes."""
    ordered = np.empty(number, np.int32)
    count = 0
    for place in suffixes:
        if word_at[place] != NO_WORD:
            ordered[count] = word_at[place]
            count += 1
    return ordered


@njit("boolean[::1](uint8[::1], int64[::1], int64[::1], int32[::1])", cache=True)
def _repeated(
    text: Bytes, starts: Places, ends: Places, ordered: npt.NDArray[np.int32]
) -> npt.NDArray[np.bool_]:
    """Whether a word's window is that of an earlier word; `ordered`: words as suffixes sort."""
    repeated = np.zeros(len(starts) - 1, np.bool_)
    group = 0  # where in `ordered` the windows equal to the present one begin
    earliest = ordered[0]
    for i in range(1, len(ordered) + 1):
        same = False
        if i < len(ordered):
            ours, theirs = ordered[i], ordered[group]
            start, other = starts[ours], starts[theirs]
            size = starts[ends[ours]] - start
            same = size == starts[ends[theirs]] - other
            step = 0
            while same and step < size:
                same = text[start + step] == text[other + step]
                step += 1
        if same:
            earliest = min(earliest, ordered[i])
            continue
        for j in range(group, i):
            repeated[ordered[j]] = ordered[j] != earliest
        if i < len(ordered):
            group, earliest = i, ordered[i]
    return repeated
