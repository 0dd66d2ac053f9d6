"""Who repeats whom: a document is dropped iff it is verified similar to an earlier kept one.

Documents come in keep order (`tasks.dedup.keep`). Each is compared with the kept documents in its
buckets, by the share of equal signature entries, so one false collision never chains a whole
source away, and the answer for a document depends on those before it alone: adding documents at
the end changes nothing before.

Clusters say which documents belong together: the components of all verified pairs. For them a
document is also compared with the last visitor of its buckets, dropped or not. They decide nothing
here; later stages keep a cluster on one side of the held-out split.

Worked example, in order A B C D with B like A, C like B but unlike A, D like nobody: B is a
duplicate of A; C is kept, for B is gone; the clusters are {A, B, C} and {D}.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from tasks.dedup.lsh import ALONE, find_buckets

NOBODY = -1

Indices = npt.NDArray[np.int64]


class Verdicts(NamedTuple):
    """What was found about N documents."""

    duplicate_of: Indices  # (N,) the kept document it repeats, or NOBODY
    similarity: npt.NDArray[np.float32]  # (N,) to that document, else 0
    is_exact: npt.NDArray[np.bool_]  # (N,) whether their normal forms are equal
    component: Indices  # (N,) equal for the members of a cluster
    pairs_compared: int
    pairs_verified: int
    times_bucket_full: int  # that a kept document found no room in a bucket of max_compared


def find_duplicates(
    signatures: npt.NDArray[np.uint32],
    exact_codes: Indices,
    has_shingles: npt.NDArray[np.bool_],
    order: Indices,
    *,
    num_bands: int,
    num_rows: int,
    min_similarity: float,
    max_compared: int,
) -> Verdicts:
    """Find duplicates among N documents.

    Args:
        signatures: (N, num_permutations); all entries are compared, those of the bands are hashed.
        exact_codes: (N,) the distinct normal forms numbered from 0; equal for equal ones.
        has_shingles: (N,) false for documents too short for one: they can only be exact duplicates.
        order: (N,) the documents in keep order, each once.
        num_bands: bands of `num_rows` entries; together at most num_permutations.
        num_rows: see `num_bands`.
        min_similarity: least share of equal entries of a verified pair.
        max_compared: kept documents of one bucket that a newcomer is compared with, the earliest.
    """
    _, first = np.unique(exact_codes[order], return_index=True)
    leader = order[first[exact_codes]]  # (N,) the first document with the same normal form
    leads = leader == np.arange(len(leader))
    compared = order[(leads & has_shingles)[order]]  # in keep order, one per normal form

    near = _find_near(signatures[compared], num_bands, num_rows, min_similarity, max_compared)
    duplicate_of = np.full(len(order), NOBODY, np.int64)
    similarity = np.zeros(len(order), np.float32)
    component = np.arange(len(order))
    found = near.duplicate_of != NOBODY
    duplicate_of[compared[found]] = compared[near.duplicate_of[found]]
    similarity[compared] = near.similarity
    component[compared] = compared[near.component]

    # Copies of a kept leader repeat the leader; copies of a dropped one repeat what it repeats.
    is_exact = ~leads & (duplicate_of[leader] == NOBODY)
    inherited = np.where(is_exact, leader, duplicate_of[leader])
    return near._replace(
        duplicate_of=np.where(leads, duplicate_of, inherited),
        similarity=np.where(is_exact, np.float32(1), similarity[leader]),
        is_exact=is_exact,
        component=component[leader],
    )


def _find_near(
    signatures: npt.NDArray[np.uint32],
    num_bands: int,
    num_rows: int,
    min_similarity: float,
    max_compared: int,
) -> Verdicts:
    """Find near-duplicates among documents that are already in keep order."""
    number, num_permutations = signatures.shape
    bucket_of, sizes = find_buckets(signatures, num_bands, num_rows)
    first_bucket = np.cumsum([0, *map(len, sizes)])
    places = np.minimum(np.concatenate(sizes), max_compared).astype(np.int64)
    needed = next(k for k in range(num_permutations + 2) if k / num_permutations >= min_similarity)
    duplicate_of, equal, component, tally = _resolve(
        signatures, bucket_of, first_bucket, np.cumsum(np.append(0, places)), max_compared, needed
    )
    return Verdicts(
        duplicate_of,
        (equal / num_permutations).astype(np.float32),
        np.zeros(number, np.bool_),
        component,
        *tally.tolist(),
    )


@njit()
def _count_equal(left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32]) -> int:
    equal = 0
    for k in range(len(left)):
        equal += left[k] == right[k]
    return equal


@njit()
def _find_root(parent: Indices, node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]  # halve the path
        node = parent[node]
    return node


@njit()
def _gather(
    document: int,
    buckets: Indices,
    first_place: Indices,
    filled: npt.NDArray[np.int32],
    kept: npt.NDArray[np.int32],
    last: npt.NDArray[np.int32],
    seen_by: Indices,
    candidates: Indices,
) -> int:
    """Collect whom to compare with, each once: its buckets' kept documents and last visitors."""
    count = 0
    for bucket in buckets:
        start = first_place[bucket]
        for place in range(start, start + filled[bucket] + 1):
            other = kept[place] if place < start + filled[bucket] else last[bucket]
            if other != NOBODY and seen_by[other] != document:
                seen_by[other] = document
                candidates[count] = other
                count += 1
        last[bucket] = document
    return count


@njit()
def _judge(
    document: int,
    candidates: Indices,
    signatures: npt.NDArray[np.uint32],
    needed: int,
    duplicate_of: Indices,
    most_equal: Indices,
    parent: Indices,
    tally: Indices,
) -> None:
    """Compare with each candidate: join the clusters, note the most similar kept document."""
    for other in candidates:
        is_kept = duplicate_of[other] == NOBODY
        root, other_root = _find_root(parent, document), _find_root(parent, other)
        if not is_kept and root == other_root:
            continue  # nothing to learn
        equal = _count_equal(signatures[document], signatures[other])
        tally[0] += 1
        if equal < needed:
            continue
        tally[1] += 1
        parent[max(root, other_root)] = min(root, other_root)
        is_best = equal > most_equal[document] or (
            equal == most_equal[document] and other < duplicate_of[document]
        )
        if is_kept and is_best:
            most_equal[document] = equal
            duplicate_of[document] = other


@njit()
def _enter(
    document: int,
    buckets: Indices,
    first_place: Indices,
    filled: npt.NDArray[np.int32],
    kept: npt.NDArray[np.int32],
    tally: Indices,
) -> None:
    """Put a kept document into its buckets, where there is room."""
    for bucket in buckets:
        place = first_place[bucket] + filled[bucket]
        if place < first_place[bucket + 1]:
            kept[place] = document
            filled[bucket] += 1
        else:
            tally[2] += 1


@njit(
    "UniTuple(int64[::1], 4)(uint32[:, ::1], int32[:, ::1], int64[::1], int64[::1], int64, int64)",
    cache=True,
)
def _resolve(
    signatures: npt.NDArray[np.uint32],
    bucket_of: npt.NDArray[np.int32],
    first_bucket: Indices,
    first_place: Indices,
    max_compared: int,
    needed: int,
) -> tuple[Indices, Indices, Indices, Indices]:
    """Decide document by document; return duplicate_of, equal entries, component, and the tally.

    Bucket k of band b is number `first_bucket[b] + k`. Its kept documents stand in
    `kept[first_place[number] : first_place[number] + filled[number]]`, and there is room for more
    up to `first_place[number + 1]`.
    """
    num_bands, number = bucket_of.shape
    kept = np.empty(first_place[-1], np.int32)
    filled = np.zeros(len(first_place) - 1, np.int32)
    last = np.full(len(first_place) - 1, NOBODY, np.int32)
    seen_by = np.full(number, NOBODY, np.int64)  # the last document each was a candidate of
    candidates = np.empty(num_bands * (max_compared + 1), np.int64)
    buckets = np.empty(num_bands, np.int64)
    duplicate_of = np.full(number, NOBODY, np.int64)
    most_equal = np.zeros(number, np.int64)
    parent = np.arange(number)
    tally = np.zeros(3, np.int64)
    for document in range(number):
        shared = 0
        for band in range(num_bands):
            if bucket_of[band, document] != ALONE:
                buckets[shared] = first_bucket[band] + bucket_of[band, document]
                shared += 1
        mine = buckets[:shared]
        count = _gather(document, mine, first_place, filled, kept, last, seen_by, candidates)
        _judge(
            document, candidates[:count], signatures, needed, duplicate_of, most_equal, parent,
            tally,
        )  # fmt: skip
        if duplicate_of[document] == NOBODY:
            _enter(document, mine, first_place, filled, kept, tally)
    for document in range(number):
        parent[document] = _find_root(parent, document)
    return duplicate_of, most_equal, parent, tally
