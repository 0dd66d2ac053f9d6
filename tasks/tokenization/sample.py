"""A seeded sample of documents of a given size, from every source in proportion.

Documents are taken in the order of a hash of their id, so the draw hangs neither on shards nor on
their order, and a grown corpus replaces only part of it. The last document is cut, so that a single
huge one can neither overshoot the sample nor leave it empty.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]


def quotas(source_bytes: Mapping[str, int], sample_bytes: int) -> dict[str, int]:
    """How many bytes each source gives.

    >>> quotas({"code": 300, "docs": 100}, 200)
    {'code': 150, 'docs': 50}
    """
    total = max(sum(source_bytes.values()), 1)
    return {
        source: min(size, sample_bytes * size // total) for source, size in source_bytes.items()
    }


def place(document: str, seed: int) -> int:
    """Where a document stands in the order in which a sample takes them."""
    digest = hashlib.blake2b(f"tokenizer-sample:{seed}:{document}".encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "little")


def taken_bytes(places: Sequence[int], num_bytes: Sequence[int], quota: int) -> Int64Array:
    """How many bytes of each document belong to the sample; shape (documents,).

    With a quota of 8, documents of 5 bytes each, standing third, first and second in the order,
    give 0, 5 and 3:

    >>> taken_bytes([30, 10, 20], [5, 5, 5], 8).tolist()
    [0, 5, 3]
    """
    order = np.argsort(np.asarray(places, dtype=np.uint64), kind="stable")
    sizes = np.asarray(num_bytes, dtype=np.int64)[order]
    before = np.cumsum(sizes) - sizes
    taken = np.zeros(len(sizes), dtype=np.int64)
    taken[order] = np.clip(quota - before, 0, sizes)
    return taken


def cut(text: str, num_bytes: int) -> str:
    """The beginning of `text` that fits into `num_bytes` of UTF-8.

    >>> cut("naïve", 3)
    'na'
    """
    return text.encode()[:num_bytes].decode(errors="ignore")
