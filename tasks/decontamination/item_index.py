"""Which items of the evaluation sets stand in a text: n-grams of long ones, short ones whole.

An item of `ngram_words` words or more is looked for by its n-grams (Brown et al. 2020, appendix C,
with n = 13); one of fewer, down to `min_words`, as a whole, which n-grams alone never find. A run
of words is hashed as it slides over the text; hashes that the index may have are looked up and
verified word by word. The index has a run once, however many items it stands in, and a text's run
is looked up once, however often it stands there: grids of zeros on both sides cost no product.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from tasks.decontamination.words import Hashes, Places, read_words

BASE = np.uint64(0x9E3779B97F4A7C15)  # of the polynomial that a run's hash is, modulo 2**64
MIX_PRIME, MIX_SHIFT = np.uint64(0xFF51AFD7ED558CCD), np.uint64(32)
FILTER_SPARSITY = 64  # places of the filter per run: one run in so many passes it by chance


class Hit(NamedTuple):
    """An item in a text."""

    item: int
    runs: int  # different n-grams of the item that were found; 1 for a whole item
    share: float  # of the item's n-grams; 1 for a whole item
    start: int  # the first run of words that was found, in characters of the text in NFC
    end: int
    is_whole: bool  # whether the item is too short for n-grams


class Runs(NamedTuple):
    """The different runs of one length of all items, in order of their hashes."""

    length: int  # words
    hashes: Hashes  # (runs,)
    places: Places  # (runs,) where the run first stands in the words of all items
    owners: Places  # (runs + 1,) where in `items` its own begin
    items: Places  # the items that hold a run, run by run
    times: Places  # how often each holds it
    filter: npt.NDArray[np.bool_]  # by the first bits of a hash: whether it may be among them


class ItemIndex:
    """The items of all sets, to look for in texts."""

    def __init__(self, texts: Sequence[str], *, ngram_words: int, min_words: int) -> None:
        """Item i is `texts[i]`."""
        self._ngram_words = ngram_words
        words = [read_words(text).hashes for text in texts]
        sizes = np.array([len(own) for own in words], dtype=np.int64)
        lengths = np.minimum(sizes, ngram_words)
        self.lengths: Places = np.where(lengths >= min_words, lengths, 0)  # of a run, 0: too short
        self.num_runs: Places = np.where(self.lengths > 0, sizes - lengths + 1, 0)
        self._words = np.concatenate([np.empty(0, np.uint64), *words])
        self.runs = [
            self._of_length(int(length), np.flatnonzero(self.lengths == length), sizes)
            for length in np.unique(self.lengths)
            if length
        ]

    def find(self, text: str) -> list[Hit]:
        """The items that stand in a text, in order of their numbers.

        >>> index = ItemIndex(["To be, or not to be?"], ngram_words=13, min_words=3)
        >>> index.find("He said: to be or NOT to be.")
        [Hit(item=0, runs=1, share=1.0, start=9, end=27, is_whole=True)]
        """
        return self.find_in_words(*read_words(text)[1:])

    def find_in_words(self, hashes: Hashes, first: Places, last: Places) -> list[Hit]:
        """The same, given the words' hashes and places in the text."""
        hits = []
        for runs in self.runs:
            positions, rows = self.matches(hashes, runs)
            if not len(rows):
                continue
            number = np.diff(runs.owners)[rows]
            members = _ranges(runs.owners[rows], number)
            items, firsts, owner = np.unique(
                runs.items[members], return_index=True, return_inverse=True
            )
            found = np.bincount(owner, weights=runs.times[members]).astype(np.int64)
            starts = np.repeat(positions, number)[firsts]  # the first: positions are in order
            hits += [
                Hit(
                    item,
                    times,
                    times / int(self.num_runs[item]),
                    int(first[start]),
                    int(last[start + runs.length - 1]),
                    is_whole=bool(self.lengths[item] < self._ngram_words),
                )
                for item, times, start in zip(
                    items.tolist(), found.tolist(), starts.tolist(), strict=True
                )
            ]
        return sorted(hits)

    def matches(self, words: Hashes, runs: Runs) -> tuple[Places, Places]:
        """The different runs of a text that items hold: where each first stands, and its row."""
        positions, hashes = _passing(words, runs.length, runs.filter)
        if not len(positions):  # nearly always
            return positions, positions
        hashes, firsts = np.unique(hashes, return_index=True)
        low = np.searchsorted(runs.hashes, hashes)
        number = np.searchsorted(runs.hashes, hashes, side="right") - low
        rows, positions = _ranges(low, number), np.repeat(positions[firsts], number)
        places, equal = runs.places[rows], np.ones(len(rows), bool)
        for word in range(runs.length):
            equal &= words[positions + word] == self._words[places + word]
        rows, positions = rows[equal], positions[equal]
        order = np.argsort(positions)
        return positions[order], rows[order]

    def _of_length(self, length: int, items: Places, sizes: Places) -> Runs:
        ends = np.cumsum(sizes)
        starts = ends - sizes
        places = np.concatenate([np.arange(starts[i], ends[i] - length + 1) for i in items])
        owners = np.repeat(items, self.num_runs[items])
        hashes = run_hashes(self._words, length)[places]
        order = np.argsort(hashes, kind="stable")
        hashes, places, owners = hashes[order], places[order], owners[order]
        is_new = np.ones(len(order), bool)
        is_new[1:] = hashes[1:] != hashes[:-1]
        for word in range(length):
            own = self._words[places + word]
            is_new[1:] |= own[1:] != own[:-1]
        begins = is_new.copy()  # another run, or the same in another item
        begins[1:] |= owners[1:] != owners[:-1]
        members = np.flatnonzero(begins)
        bits = max(16, int(len(places) * FILTER_SPARSITY).bit_length())
        present = np.zeros(2**bits, dtype=bool)
        present[hashes >> np.uint64(64 - bits)] = True
        return Runs(
            length,
            hashes[is_new],
            places[is_new],
            np.flatnonzero(np.append(is_new[members], True)),
            owners[members],
            np.diff(np.append(members, len(order))),
            present,
        )


def _ranges(starts: Places, sizes: Places) -> Places:
    """The numbers of all ranges, one after the other."""
    ends = np.cumsum(sizes)
    return np.repeat(starts - (ends - sizes), sizes) + np.arange(ends[-1] if len(ends) else 0)


@njit("uint64[::1](uint64[::1], int64)", cache=True)
def run_hashes(words: Hashes, length: int) -> Hashes:
    """The hash of every run of `length` words, by the place of its first."""
    number = max(0, len(words) - length + 1)
    hashes = np.empty(number, np.uint64)
    lead, rolling = np.uint64(1), np.uint64(0)
    for i in range(min(length - 1, len(words))):
        lead *= BASE
        rolling = rolling * BASE + words[i]
    for i in range(number):
        rolling = rolling * BASE + words[i + length - 1]
        mixed = rolling * MIX_PRIME
        hashes[i] = (mixed ^ (mixed >> MIX_SHIFT)) * MIX_PRIME
        rolling -= words[i] * lead
    return hashes


@njit("Tuple((int64[::1], uint64[::1]))(uint64[::1], int64, boolean[::1])", cache=True)
def _passing(words: Hashes, length: int, present: npt.NDArray[np.bool_]) -> tuple[Places, Hashes]:
    """The runs of a text that the filter lets pass: position and hash."""
    hashes = run_hashes(words, length)
    shift = np.uint64(64)
    size = len(present)
    while size > 1:
        shift -= np.uint64(1)
        size >>= 1
    positions, count = np.empty(len(hashes), np.int64), 0
    for i in range(len(hashes)):
        if present[hashes[i] >> shift]:
            positions[count], hashes[count] = i, hashes[i]
            count += 1
    return positions[:count].copy(), hashes[:count].copy()
