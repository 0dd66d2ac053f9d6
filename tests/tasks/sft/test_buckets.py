import numpy as np
import pytest

from tasks.sft.buckets import LengthBuckets

LENGTHS = np.random.default_rng(0).integers(5, 200, 103)


def test_batches_are_a_pure_function_of_seed_and_step() -> None:
    buckets = LengthBuckets(LENGTHS, batch_rows=8, bucket_batches=4, seed=0)
    forwards = [buckets(step).tolist() for step in range(30)]
    again = LengthBuckets(LENGTHS, 8, 4, seed=0)
    assert [again(step).tolist() for step in (29, 2, 13)] == [forwards[i] for i in (29, 2, 13)]
    other = LengthBuckets(LENGTHS, 8, 4, seed=1)
    assert [other(step).tolist() for step in range(30)] != forwards


def test_an_epoch_uses_no_example_twice_and_leaves_out_less_than_a_batch() -> None:
    buckets = LengthBuckets(LENGTHS, 8, 4, seed=0)
    assert buckets.batches_per_epoch == 12
    left_out = []
    for epoch in range(3):
        used = [row for step in range(12) for row in buckets(12 * epoch + step).tolist()]
        assert len(used) == len(set(used)) == 96
        left_out.append(frozenset(range(103)) - set(used))
    assert len(set(left_out)) == 3


def test_batches_hold_similar_lengths() -> None:
    def padding(bucket_batches: int) -> float:
        buckets = LengthBuckets(LENGTHS, 8, bucket_batches, seed=0)
        rows = [LENGTHS[buckets(step)] for step in range(12)]
        return sum(row.max() * 8 - row.sum() for row in rows) / sum(row.sum() for row in rows)

    assert padding(12) < 0.15 < padding(1)


def test_batches_of_the_example() -> None:
    buckets = LengthBuckets(np.array([5, 90, 7, 80]), batch_rows=2, bucket_batches=2, seed=0)
    assert sorted(buckets(step).tolist() for step in range(2)) == [[0, 2], [3, 1]]


def test_fewer_examples_than_a_batch_are_one_batch() -> None:
    buckets = LengthBuckets(np.array([9, 3, 5]), batch_rows=8, bucket_batches=2, seed=0)
    assert buckets(0).tolist() == buckets(7).tolist() == [1, 2, 0]


def test_no_examples_is_an_error() -> None:
    with pytest.raises(ValueError, match="no examples"):
        LengthBuckets(np.array([], dtype=np.int64), 8, 2, seed=0)
