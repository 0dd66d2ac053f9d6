"""Batches of examples of similar length, as a pure function of the seed and the step.

Each epoch shuffles all examples, sorts every pool of `bucket_batches` batches by length, cuts the
pools into batches and shuffles those. The examples that fill no batch sit out this epoch; another
shuffle leaves out others.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


class LengthBuckets:
    """Which examples each step trains on.

    Lengths 5, 90, 7, 80 with two rows a batch and one pool give the batches {5, 7} and {80, 90}.
    """

    def __init__(
        self, lengths: NDArray[np.int64], batch_rows: int, bucket_batches: int, seed: int
    ) -> None:
        """`lengths` (examples,) are in tokens.

        Raises:
            ValueError: when there are no examples.
        """
        if not len(lengths):
            raise ValueError("there are no examples to train on")
        self._lengths = lengths
        self._batch_rows = min(batch_rows, len(lengths))
        self._pool_rows = self._batch_rows * bucket_batches
        self._seed = seed
        self.batches_per_epoch = len(lengths) // self._batch_rows
        self._epoch = lru_cache(maxsize=2)(self._shuffle)

    def __call__(self, step: int) -> NDArray[np.int64]:
        """The examples of one optimizer step, shortest first: (batch_rows,)."""
        epoch, batch = divmod(step, self.batches_per_epoch)
        rows: NDArray[np.int64] = self._epoch(epoch)[batch]
        return rows

    def _shuffle(self, epoch: int) -> NDArray[np.int64]:
        """All batches of one epoch: (batches_per_epoch, batch_rows)."""
        generator = np.random.default_rng([self._seed, epoch])
        order = generator.permutation(len(self._lengths))
        order = order[: self.batches_per_epoch * self._batch_rows]
        pools = np.split(order, range(self._pool_rows, len(order), self._pool_rows))
        by_length = [pool[np.argsort(self._lengths[pool], kind="stable")] for pool in pools]
        batches = np.concatenate(by_length).reshape(self.batches_per_epoch, self._batch_rows)
        return batches[generator.permutation(self.batches_per_epoch)]
