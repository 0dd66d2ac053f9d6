"""Buckets: who shares a band, and how often theory says they do."""

import numpy as np
import pytest

from tasks.dedup.lsh import ALONE, collision_probability, find_buckets


def test_documents_that_share_a_band_share_a_bucket() -> None:
    signatures = np.array(
        [[1, 2, 3, 4], [1, 2, 5, 6], [7, 8, 3, 4], [9, 9, 5, 6], [0, 0, 0, 0]], np.uint32
    )
    bucket_of, sizes = find_buckets(signatures, num_bands=2, num_rows=2)
    assert bucket_of.tolist() == [[0, 0, ALONE, ALONE, ALONE], [0, 1, 0, 1, ALONE]]
    assert [size.tolist() for size in sizes] == [[2], [2, 2]]


def test_no_document_has_no_bucket() -> None:
    bucket_of, sizes = find_buckets(np.empty((0, 8), np.uint32), num_bands=2, num_rows=4)
    assert bucket_of.shape == (2, 0)
    assert [len(size) for size in sizes] == [0, 0]


@pytest.mark.parametrize(
    ("similarity", "num_bands", "num_rows", "probability"),
    [(0.5, 1, 1, 0.5), (0.5, 2, 2, 0.4375), (0.7, 32, 4, 0.99985), (0.7, 14, 8, 0.5645)],
)
def test_collision_probability_by_hand(
    similarity: float, num_bands: int, num_rows: int, probability: float
) -> None:
    found = collision_probability(similarity, num_bands, num_rows)
    assert found == pytest.approx(probability, abs=5e-5)


@pytest.mark.parametrize("similarity", [0.4, 0.6, 0.8])
@pytest.mark.parametrize(("num_bands", "num_rows"), [(8, 4), (4, 8), (20, 5)])
def test_collisions_come_as_often_as_theory_says(
    similarity: float, num_bands: int, num_rows: int
) -> None:
    """5,000 pairs whose entries agree with this probability: within 4 standard errors."""
    pairs, entries = 5000, num_bands * num_rows
    rng = np.random.default_rng(1)
    left = rng.integers(0, 2**32, (pairs, entries), dtype=np.uint32)
    right = rng.integers(0, 2**32, (pairs, entries), dtype=np.uint32)
    right = np.where(rng.random(left.shape) < similarity, left, right)
    bucket_of, _ = find_buckets(np.concatenate([left, right]), num_bands, num_rows)
    together = (bucket_of[:, :pairs] == bucket_of[:, pairs:]) & (bucket_of[:, :pairs] != ALONE)
    expected = collision_probability(similarity, num_bands, num_rows)
    error = np.sqrt(expected * (1 - expected) / pairs)
    assert abs(together.any(axis=0).mean() - expected) < 4 * error
