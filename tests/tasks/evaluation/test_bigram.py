from collections import Counter
from itertools import pairwise
from math import log

import numpy as np
import pytest

from tasks.evaluation.bigram import train


def slow_losses(streams: list[list[int]], vocab_size: int, tokens: list[int]) -> list[float]:
    """Witten-Bell from dictionaries, one probability at a time."""
    single = Counter(token for stream in streams for token in stream)
    pairs = Counter(pair for s in streams for pair in pairwise(s))
    total, types = sum(single.values()), len(single)

    def unigram(word: int) -> float:
        return (single[word] + types / vocab_size) / (total + types)

    losses = []
    for before, word in pairwise(tokens):
        followers = [count for (first, _), count in pairs.items() if first == before]
        if followers:
            different = len(followers)
            p = pairs[before, word] + different * unigram(word)
            p /= sum(followers) + different
        else:
            p = unigram(word)
        losses.append(-log(p))
    return losses


def test_losses_equal_the_slow_reference() -> None:
    rng = np.random.default_rng(0)
    streams = [rng.integers(0, 12, size).astype(np.uint16) for size in (300, 40, 1)]
    heldout = rng.integers(0, 15, 200).astype(np.uint16)  # ids 12 to 14 were never seen
    model = train(streams, vocab_size=15)
    expected = slow_losses([stream.tolist() for stream in streams], 15, heldout.tolist())
    assert model.losses(heldout) == pytest.approx(expected, rel=1e-12)


def test_probabilities_by_hand() -> None:
    # tokens 0 1 0 1 1: pairs 01 01 10 11; N = 5, T = 2, V = 4
    model = train([np.array([0, 1, 0, 1, 1])], vocab_size=4)
    p1 = (3 + 2 / 4) / (5 + 2)  # 0.5
    p_after_0 = (2 + 1 * p1) / (2 + 1)  # 0 was always followed by 1
    unseen = (0 + 2 / 4) / (5 + 2)
    p_2_after_1 = (0 + 2 * unseen) / (2 + 2)
    assert model.losses(np.array([0, 1, 2, 1])) == pytest.approx(
        [-log(p_after_0), -log(p_2_after_1), -log(p1)]
    )


@pytest.mark.parametrize("history", [0, 1, 5])
def test_probabilities_sum_to_one(history: int) -> None:
    model = train([np.array([0, 1, 0, 1, 1, 3, 0])], vocab_size=6)
    total = sum(np.exp(-model.losses(np.array([history, word]))[0]) for word in range(6))
    assert total == pytest.approx(1.0)


def test_chunks_count_like_separate_streams() -> None:
    tokens = np.random.default_rng(1).integers(0, 50, 5000)
    whole = train([tokens[:2000], tokens[2000:]], 50)
    chunks = train([tokens[:700], tokens[700:2000], tokens[2000:]], 50)
    assert whole.unigram == pytest.approx(chunks.unigram)
    assert whole.counts.sum() == chunks.counts.sum() + 1  # one pair lies across the new cut


def test_no_pair_is_an_error() -> None:
    with pytest.raises(ValueError, match="two training tokens"):
        train([np.array([3])], 5)
