"""Locality-sensitive hashing: documents that share a band of their signatures share a bucket.

A signature is cut into `num_bands` bands of `num_rows` entries (Indyk and Motwani 1998; Leskovec,
Rajaraman and Ullman, "Mining of Massive Datasets", section 3.4). Two documents of similarity s
agree in one band with probability s ** num_rows, so they share a bucket somewhere with
1 - (1 - s ** num_rows) ** num_bands. Example: 32 bands of 4 rows find a pair at 0.7 with
1 - (1 - 0.2401) ** 32 = 0.9998, and one at 0.3 with 0.23. Finding too many costs little, since
every pair is verified afterwards; a pair not found is lost.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

ALONE = -1  # the bucket of a document that shares its band with nobody

FNV_SEED = np.uint64(0xCBF29CE484222325)
SPREAD = np.uint64(0x9E3779B97F4A7C15)


class Buckets(NamedTuple):
    """Who shares a band with whom."""

    bucket_of: npt.NDArray[np.int32]  # (num_bands, N), numbered within a band, or ALONE
    sizes: list[npt.NDArray[np.int32]]  # per band: members of each bucket, at least 2


def collision_probability(similarity: float, num_bands: int, num_rows: int) -> float:
    """Return the probability that two documents of this similarity share a bucket."""
    return float(1.0 - (1.0 - similarity**num_rows) ** num_bands)


def find_buckets(signatures: npt.NDArray[np.uint32], num_bands: int, num_rows: int) -> Buckets:
    """Number the buckets of every band; documents alone in theirs need no number."""
    bucket_of = np.empty((num_bands, len(signatures)), np.int32)
    table = np.empty(1 << max(4, (2 * len(signatures)).bit_length()), np.uint64)
    sizes = []
    for band in range(num_bands):
        count = _number(signatures, band * num_rows, num_rows, table, bucket_of[band])
        sizes.append(_forget_singles(bucket_of[band], count))
    return Buckets(bucket_of, sizes)


@njit("int64(uint32[:, ::1], int64, int64, uint64[::1], int32[::1])", cache=True)
def _number(
    signatures: npt.NDArray[np.uint32],
    first: int,
    num_rows: int,
    table: npt.NDArray[np.uint64],
    bucket_of: npt.NDArray[np.int32],
) -> int:
    """Number the distinct bands `signatures[:, first : first + num_rows]`; return how many.

    `table` is an open hash table of a power of two places: half a key beside the bucket's number
    plus one, 0 when free. Two bands whose 64-bit keys agree in that half and in their place share
    a bucket by mistake, once in 2**32; verification parts them.
    """
    table[:] = 0
    mask = np.uint64(len(table) - 1)
    low = np.uint64(0xFFFF_FFFF)
    count = 0
    for document in range(len(signatures)):
        key = FNV_SEED
        for row in range(first, first + num_rows):
            key = (key ^ np.uint64(signatures[document, row])) * SPREAD
            key ^= key >> np.uint64(29)
        place = (key >> np.uint64(3)) & mask
        while table[place] != 0 and (table[place] ^ key) > low:
            place = (place + np.uint64(1)) & mask
        if table[place] == 0:
            count += 1
            table[place] = (key & ~low) | np.uint64(count)
        bucket_of[document] = np.int64(table[place] & low) - 1
    return count


@njit("int32[::1](int32[::1], int64)", cache=True)
def _forget_singles(bucket_of: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.int32]:
    """Renumber the buckets that have two members or more; return their sizes."""
    sizes = np.zeros(count, np.int32)
    for bucket in bucket_of:
        sizes[bucket] += 1
    renumbered = np.full(count, ALONE, np.int32)
    shared = 0
    for bucket in range(count):
        if sizes[bucket] > 1:
            renumbered[bucket] = shared
            sizes[shared] = sizes[bucket]
            shared += 1
    for document in range(len(bucket_of)):
        bucket_of[document] = renumbered[bucket_of[document]]
    return sizes[:shared].copy()
