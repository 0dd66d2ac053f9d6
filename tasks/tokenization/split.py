"""Which duplicate clusters are held out: a share of all, and a least number of every source.

The share hangs on the cluster's id alone (`storage.documents.is_held_out`). Where it gives a source
too few clusters, the ones that come first in a second hash order fill it up. Both orders are fixed,
so adding documents to a source that is past its minimum never turns one that was trained on into a
held-out one, and near-duplicates are never on both sides.

A source of 100 clusters with a share of 0.02 and a minimum of 10 has about 2 by the share; the
first 8 others fill it up. A source of 6 gets 3: half of it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline_config.tokenization import HeldoutConfig
from storage.documents import is_held_out


def _place(cluster: str, seed: int) -> bytes:
    """Where a cluster stands in the order in which a small source is filled up."""
    return hashlib.blake2b(f"fill-up:{seed}:{cluster}".encode(), digest_size=16).digest()


def fill_up(clusters: Iterable[str], config: HeldoutConfig) -> set[str]:
    """The clusters of one source that are held out beyond the share; none for a large source.

    `clusters` is read only until it shows enough held-out ones.
    """
    held_out: set[str] = set()
    others: set[str] = set()
    for cluster in clusters:
        if not is_held_out(cluster, config.seed, config.share):
            others.add(cluster)
            continue
        held_out.add(cluster)
        if len(held_out) >= config.min_clusters:
            return set()
    wanted = min(config.min_clusters, (len(held_out) + len(others)) // 2)
    missing = max(0, wanted - len(held_out))
    return set(sorted(others, key=lambda cluster: _place(cluster, config.seed))[:missing])


@dataclass(frozen=True)
class HeldOut:
    """The held-out clusters: `cluster in held_out`."""

    config: HeldoutConfig
    filled_up: frozenset[str]  # those beyond the share

    def __contains__(self, cluster: str) -> bool:
        """Whether the documents of a cluster are held out."""
        return cluster in self.filled_up or is_held_out(
            cluster, self.config.seed, self.config.share
        )
