"""The bigram model beside which bits per byte are shown: what counting word pairs achieves.

Witten-Bell interpolation (Witten and Bell 1991), which has nothing to tune. With c(h w) the pairs
in the training tokens and T(h) the different tokens seen after h,

    p(w | h) = (c(h w) + T(h) p(w)) / (c(h) + T(h))        p(w) = (c(w) + T / V) / (N + T)

where c(h) counts the pairs that begin with h, and p(w), of N tokens with T different ones, falls
back on 1 / V for each of V ids. A history never seen leaves p(w).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.integer[Any]]
Counts = tuple[NDArray[np.int64], NDArray[np.int64]]  # sorted keys, their counts


@dataclass(frozen=True)
class Bigram:
    """A trained bigram model."""

    vocab_size: int
    unigram: NDArray[np.float64]  # p(w): (V,)
    history: NDArray[np.int64]  # c(h): (V,)
    followers: NDArray[np.int64]  # T(h): (V,)
    pairs: NDArray[np.int64]  # h * V + w of every pair seen, sorted: (pairs,)
    counts: NDArray[np.int64]  # c(h w): (pairs,)

    def losses(self, tokens: Tokens) -> NDArray[np.float64]:
        """-ln p of every token after the first, each given the one before: (len(tokens) - 1,)."""
        before, after = tokens[:-1].astype(np.int64), tokens[1:].astype(np.int64)
        keys = before * self.vocab_size + after
        places = np.minimum(np.searchsorted(self.pairs, keys), len(self.pairs) - 1)
        seen = np.where(self.pairs[places] == keys, self.counts[places], 0)
        total = self.history[before] + self.followers[before]
        smoothed = seen + self.followers[before] * self.unigram[after]
        unigram = self.unigram[after]
        probability = np.where(total > 0, smoothed / np.maximum(total, 1), unigram)
        losses: NDArray[np.float64] = -np.log(probability)
        return losses


def train(chunks: Iterable[Tokens], vocab_size: int) -> Bigram:
    """Counts chunks of one or more streams; pairs across the ends of chunks are not counted.

    Raises:
        ValueError: when there is no pair at all.
    """
    single = np.zeros(vocab_size, dtype=np.int64)
    pairs: Counts = (np.empty(0, np.int64), np.empty(0, np.int64))
    for chunk in chunks:
        tokens = chunk.astype(np.int64)
        single += np.bincount(tokens, minlength=vocab_size)
        keys, counts = np.unique(tokens[:-1] * vocab_size + tokens[1:], return_counts=True)
        pairs = _add(pairs, (keys, counts))
    if not len(pairs[0]):
        raise ValueError("a bigram model needs at least two training tokens")
    begins = pairs[0] // vocab_size
    types = int(np.count_nonzero(single))
    unigram = (single + types / vocab_size) / (single.sum() + types)
    history = np.bincount(begins, weights=pairs[1], minlength=vocab_size).astype(np.int64)
    followers = np.bincount(begins, minlength=vocab_size)
    return Bigram(vocab_size, unigram, history, followers, *pairs)


def _add(first: Counts, second: Counts) -> Counts:
    """The sum of two tables of counts."""
    keys = np.concatenate([first[0], second[0]])
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], np.concatenate([first[1], second[1]])[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    return keys[starts], np.add.reduceat(counts, starts) if len(starts) else counts
