"""Exact duplicates: a 128-bit hash of a text's normal form (`tasks.text.normalise`).

Two texts that differ only in case, spacing, invisible characters or Unicode composition are the
same. With 128 bits, a billion documents collide by chance with a probability under 10**-20.
"""

from itertools import pairwise
from typing import TYPE_CHECKING

import xxhash

from tasks.text import normalise

if TYPE_CHECKING:
    from tasks.dedup.scan import Bytes, Offsets

HASH_BYTES = 16


def exact_hash(text: str) -> bytes:
    """Return the hash of one text.

    >>> exact_hash("Hello  World") == exact_hash(" hello world")
    True
    """
    return xxhash.xxh3_128_digest(normalise(text).encode())


def exact_hashes(normal: "Bytes", bounds: "Offsets") -> list[bytes]:
    """Return the hashes of normal forms that lie one after the other in `normal`."""
    view = normal.data
    edges = pairwise(bounds.tolist())
    return [xxhash.xxh3_128_digest(view[start:end]) for start, end in edges]
