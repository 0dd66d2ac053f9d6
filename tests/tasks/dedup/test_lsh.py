"""Buckets: who shares a band, and how often theory says they do."""

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_config.dedup import DedupConfig
from tasks.dedup.decide import curve
from tasks.dedup.lsh import ALONE, KeySet, band_keys, collision_probability, find_buckets


def test_documents_that_share_a_band_share_a_room() -> None:
    signatures = np.array(
        [[1, 2, 3, 4], [1, 2, 5, 6], [7, 8, 3, 4], [9, 9, 5, 6], [0, 0, 0, 0]], np.uint32
    )
    room_of, first_place = find_buckets(signatures, np.arange(5), 2, 2, max_members=10)
    assert room_of.tolist() == [[0, 0, ALONE, ALONE, ALONE], [0, 4, 0, 4, ALONE]]
    assert first_place.tolist() == [0, 4, 12]  # a header of 2 and 2 members each


def test_rooms_stand_in_the_order_of_the_documents_asked_for() -> None:
    signatures = np.array([[1], [2], [1], [3], [2], [2], [1]], np.uint32)
    order = np.array([5, 0, 1, 2, 3])  # 4 and 6 take no part
    room_of, first_place = find_buckets(signatures, order, 1, 1, max_members=10)
    assert room_of.tolist() == [[0, 4, 0, 4, ALONE]]
    assert first_place.tolist() == [0, 8]


def test_rooms_hold_so_many_members() -> None:
    room_of, first_place = find_buckets(np.ones((9, 2), np.uint32), np.arange(9), 2, 1, 3)
    assert (room_of == 0).all()
    assert first_place.tolist() == [0, 5, 10]


def test_no_document_has_no_room() -> None:
    found = find_buckets(np.empty((0, 8), np.uint32), np.empty(0, np.int64), 2, 4, 10)
    assert found.room_of.shape == (2, 0)
    assert found.first_place.tolist() == [0, 0, 0]


@pytest.mark.parametrize("num_bands", [1, 9, 20])  # fewer and more than are hashed at once
def test_rooms_are_those_of_a_plain_dictionary(num_bands: int) -> None:
    """20,000 documents, in parts: two share a room exactly if their entries are equal."""
    rng = np.random.default_rng(num_bands)
    signatures = rng.integers(0, 150, (20_000, 2 * num_bands), dtype=np.uint32)
    order = rng.permutation(20_000)[:15_000]
    room_of, first_place = find_buckets(signatures, order, num_bands, 2, max_members=4)
    for band in range(num_bands):
        members: dict[tuple[int, int], list[int]] = {}
        for document, (left, right) in enumerate(signatures[order, 2 * band :][:, :2].tolist()):
            members.setdefault((left, right), []).append(document)
        expected, places = np.full(15_000, ALONE), 0
        for own in members.values():
            if len(own) > 1:
                expected[own] = places
                places += 2 + min(len(own), 4)
        np.testing.assert_array_equal(room_of[band], expected)
        assert first_place[band + 1] - first_place[band] == places


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
    room_of, _ = find_buckets(
        np.concatenate([left, right]), np.arange(2 * pairs), num_bands, num_rows, 10
    )
    together = (room_of[:, :pairs] == room_of[:, pairs:]) & (room_of[:, :pairs] != ALONE)
    expected = collision_probability(similarity, num_bands, num_rows)
    error = np.sqrt(expected * (1 - expected) / pairs)
    assert abs(together.any(axis=0).mean() - expected) < 4 * error


def wilson(found: int, number: int, confidence: float) -> tuple[float, float]:
    """The interval of a share by Wilson's score (1927), good near 0 and 1 too."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = found / number, z * z / number
    middle = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / number + spread / number / 4) / (1 + spread)
    return middle - half, middle + half


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.integers(1, 8), st.integers(1, 24), st.floats(0.1, 0.95), st.integers(0, 2**32 - 1))
def test_the_share_of_pairs_found_is_that_of_theory(
    num_rows: int, num_bands: int, similarity: float, seed: int
) -> None:
    pairs, entries = 2000, num_bands * num_rows
    rng = np.random.default_rng(seed)
    left = rng.integers(0, 2**32, (pairs, entries), dtype=np.uint32)
    right = rng.integers(0, 2**32, (pairs, entries), dtype=np.uint32)
    right = np.where(rng.random(left.shape) < similarity, left, right)
    both = np.concatenate([left, right])
    room_of, _ = find_buckets(both, np.arange(2 * pairs), num_bands, num_rows, 10)
    together = (room_of[:, :pairs] == room_of[:, pairs:]) & (room_of[:, :pairs] != ALONE)
    low, high = wilson(int(together.any(axis=0).sum()), pairs, 1 - 1e-6)
    assert low <= 1 - (1 - similarity**num_rows) ** num_bands <= high


def test_the_curve_in_the_counts_by_hand() -> None:
    """1 - (1 - s**4)**32: at 0.3, 1 - 0.9919**32 = 1 - exp(-0.26026) = 0.2291."""
    assert curve(DedupConfig()) == {
        "0.3": 0.2291, "0.4": 0.5639, "0.5": 0.8732, "0.6": 0.9882, "0.7": 0.9998, "0.8": 1.0,
        "0.9": 1.0,
    }  # fmt: skip


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(1, 5))
def test_a_key_set_says_who_shares_a_band(seed: int, number: int, num_rows: int) -> None:
    rng = np.random.default_rng(seed)
    known = rng.integers(0, 3, (number, 24), dtype=np.uint32)
    asked = rng.integers(0, 3, (30, 24), dtype=np.uint32)
    num_bands = 24 // num_rows
    bands = [np.s_[band * num_rows : (band + 1) * num_rows] for band in range(num_bands)]
    shared = [(asked[:, None, band] == known[None, :, band]).all(axis=2) for band in bands]
    keys = KeySet(number * num_bands)
    for own in band_keys(known, num_bands, num_rows):
        keys.add(own)
    met = np.any([keys.has(own) for own in band_keys(asked, num_bands, num_rows)], axis=0)
    assert met.tolist() == np.any(shared, axis=0).any(axis=1).tolist()
