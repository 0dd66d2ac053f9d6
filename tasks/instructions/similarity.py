"""Finds the near-duplicate of an instruction in a pool, exactly, without comparing with all of it.

Comparing every candidate with everybody costs a day at 50,000 instructions. Three facts about a
pair of m and n tokens with F1 = 2L / (m + n) >= t prune almost all pairs, and none that matters:

- L <= min(m, n), so t m / (2 - t) <= n <= (2 - t) m / t;
- so L >= k with k = ceil(t (m + ceil(t m / (2 - t))) / 2): the two share at least k tokens;
- with all tokens in any one fixed order, the first m - k + 1 of either (its prefix, rarest first)
  must then share a token (prefix filtering, Chaudhuri et al. 2006).

So only prefixes are indexed and looked up. A token's rank is when it was first seen: late means
rare, and new tokens never re-order the old ones. For what is left the longest common subsequence
is counted bit-parallel, 64 tokens a step (Hyyrö 2004): V' = (V + (V & M)) | (V & ~M), and L is the
number of zeros in V.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tasks.instructions.rouge import Rule, per_mille, rouge_tokens

Ints = NDArray[np.int64]
Bits = NDArray[np.uint64]

NONE = -1


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A text of the pool and how similar it is (ROUGE-L F1)."""

    position: int
    score: float


class SimilarityIndex:
    """A growing pool of texts that answers "is anything in it too similar to this?".

    >>> index = SimilarityIndex(threshold=0.7, rule="paper")
    >>> index.add("Sort these five numbers in ascending order")
    0
    >>> index.find("Sort these five numbers in descending order")
    Neighbour(position=0, score=0.857...)
    >>> index.find("Name a river") is None
    True
    """

    def __init__(self, threshold: float, rule: Rule) -> None:
        """`threshold` and `rule` as in `tasks.instructions.rouge`."""
        self._threshold, self._per_mille = threshold, per_mille(threshold)
        self._is_reference = rule == "reference"
        self._ranks: dict[str, int] = {}  # token -> rank, in order of first sight
        self._size = 0
        self._pool = np.zeros(1024, np.int64)  # the ranks of all texts, end to end
        self._starts = np.zeros(64, np.int64)  # text i is pool[starts[i]:starts[i + 1]]
        # postings: for each rank a linked list of the texts that have it in their prefix
        self._num_postings = 0
        self._heads = np.full(256, NONE, np.int64)  # (rank,) -> its latest posting
        self._nexts = np.zeros(1024, np.int64)  # (posting,) -> the posting before it
        self._texts = np.zeros(1024, np.int64)  # (posting,) -> the text
        self._asked = np.zeros(64, np.int64)  # (text,) -> the last query that looked at it
        self._query = 0
        self._masks = np.zeros((256, 1), np.uint64)  # (rank, word): where the query has it

    def __len__(self) -> int:
        """How many texts are in the pool."""
        return self._size

    def add(self, text: str) -> int:
        """Puts a text into the pool; returns its position."""
        ranks = self._encode(text)
        position, start = self._size, int(self._starts[self._size])
        self._size += 1
        self._pool = _grown(self._pool, start + len(ranks))
        self._starts = _grown(self._starts, self._size + 1)
        self._asked = _grown(self._asked, self._size)
        self._pool[start : start + len(ranks)] = ranks
        self._starts[self._size] = start + len(ranks)
        for rank in self._prefix(ranks):
            posting = self._num_postings
            self._num_postings += 1
            self._nexts = _grown(self._nexts, posting + 1)
            self._texts = _grown(self._texts, posting + 1)
            self._nexts[posting], self._texts[posting] = self._heads[rank], position
            self._heads[rank] = posting
        return position

    def find(self, text: str) -> Neighbour | None:
        """The most similar text that is too similar by the rule (the earliest of equals)."""
        ranks = self._encode(text)
        if not len(ranks):
            return None
        self._query += 1
        near = _candidates(
            self._prefix(ranks),
            len(ranks),
            self._per_mille,
            self._starts,
            self._heads,
            self._nexts,
            self._texts,
            self._asked,
            self._query,
        )
        return self._best(ranks, near, self._per_mille)

    def nearest(self, text: str, among: int | None = None) -> Neighbour | None:
        """The most similar of the first `among` texts (default: all), by comparing with each."""
        ranks = self._encode(text)
        return self._best(ranks, np.arange(len(self) if among is None else among), 0)

    def _best(self, ranks: Ints, positions: Ints, least_per_mille: int) -> Neighbour | None:
        position, score = _best(
            ranks,
            positions,
            self._pool,
            self._starts,
            self._masks,
            least_per_mille,
            self._threshold if self._is_reference and least_per_mille else -1.0,
        )
        return None if position == NONE else Neighbour(int(position), float(score))

    def _encode(self, text: str) -> Ints:
        """The ranks of a text's tokens, in order; makes room for them everywhere."""
        ranks = self._ranks
        encoded = [ranks.setdefault(token, len(ranks)) for token in rouge_tokens(text)]
        self._heads = _grown(self._heads, len(ranks), NONE)
        words = (len(encoded) + 63) // 64
        if len(self._masks) < len(ranks) or self._masks.shape[1] < words:
            self._masks = np.zeros((len(self._heads), max(words, self._masks.shape[1])), np.uint64)
        return np.array(encoded, np.int64)

    def _prefix(self, ranks: Ints) -> Ints:
        """The distinct ranks among the rarest m - k + 1 tokens, rarest first."""
        m, t = len(ranks), self._per_mille
        if not m:
            return ranks
        shortest = -(-t * m // (2000 - t))
        shared = max(-(-t * (m + shortest) // 2000), 1)
        return np.unique(ranks[np.argsort(ranks, kind="stable")[::-1]][: m - shared + 1])[::-1]


def _grown(array: Any, size: int, fill: int = 0) -> Any:
    """`array` with room for `size` items, at least doubled when it grows."""
    if size <= len(array):
        return array
    larger = np.full(max(size, 2 * len(array)), fill, array.dtype)
    larger[: len(array)] = array
    return larger


@njit(cache=True)
def _candidates(
    prefix: Ints,
    m: int,
    per_mille_: int,
    starts: Ints,
    heads: Ints,
    nexts: Ints,
    texts: Ints,
    asked: Ints,
    query: int,
) -> Ints:
    """The texts that share a prefix token and have a possible length, each once, ascending."""
    found = []
    for rank in prefix:
        posting = heads[rank]
        while posting != NONE:
            text = texts[posting]
            posting = nexts[posting]
            if asked[text] == query:
                continue
            asked[text] = query
            n = starts[text + 1] - starts[text]
            if 2000 * min(m, n) >= per_mille_ * (m + n):
                found.append(text)
    found.append(0)  # a typed list needs an item
    return np.sort(np.array(found[:-1], np.int64))


@njit(cache=True)
def _best(
    query: Ints,
    positions: Ints,
    pool: Ints,
    starts: Ints,
    masks: Bits,
    least_per_mille: int,
    above: float,
) -> tuple[int, float]:
    """The first of the most similar texts with F1 >= least_per_mille / 1000 and F1 > above."""
    m = len(query)
    words = (m + 63) // 64
    for at in range(m):
        masks[query[at], at // 64] |= np.uint64(1) << np.uint64(at % 64)
    row = np.empty(words, np.uint64)
    best, best_score = NONE, -1.0
    for position in positions:
        text = pool[starts[position] : starts[position + 1]]
        common = _common(text, masks, row, m)
        n = len(text)
        if 2000 * common < least_per_mille * (m + n):
            continue
        score = 0.0
        if common:
            precision, recall = common / n, common / m
            score = 2 * precision * recall / (precision + recall)
        if score > above and score > best_score:
            best, best_score = position, score
    for at in range(m):
        masks[query[at], at // 64] = np.uint64(0)
    return best, best_score


@njit(cache=True)
def _common(text: Ints, masks: Bits, row: Bits, m: int) -> int:
    """The length of the longest common subsequence of `text` and the query in `masks`."""
    words = len(row)
    row[:] = ~np.uint64(0)
    for rank in text:
        carry = np.uint64(0)
        for word in range(words):  # one long number, 64 bits at a time
            value, mask = row[word], masks[rank, word]
            matched = value & mask
            total = value + matched
            overflow = total < value
            total += carry
            carry = np.uint64(overflow or total < carry)
            row[word] = total | (value & ~mask)
    common = 0
    for at in range(m):
        if not (row[at // 64] >> np.uint64(at % 64)) & np.uint64(1):
            common += 1
    return common
