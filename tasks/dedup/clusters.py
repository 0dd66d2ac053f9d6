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

from tasks.dedup.lsh import ALONE, HEADER, find_buckets

NOBODY = -1
KEPT, VISITOR = 0, 1  # what the two places of a room's header hold

Indices = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]


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
    leader = _first_of_code(exact_codes, order)
    leads = leader == np.arange(len(leader))
    compared = order[(leads & has_shingles)[order]]  # in keep order, one per normal form

    near = _find_near(signatures, compared, num_bands, num_rows, min_similarity, max_compared)
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


def _first_of_code(exact_codes: Indices, order: Indices) -> Indices:
    """Return (N,) for every document the first in order with the same code."""
    first = np.empty(exact_codes.max(initial=-1) + 1, np.int64)
    first[exact_codes[order[::-1]]] = order[::-1]  # of several assignments, the last one stays
    return first[exact_codes]


def _find_near(
    signatures: npt.NDArray[np.uint32],
    order: Indices,
    num_bands: int,
    num_rows: int,
    min_similarity: float,
    max_compared: int,
) -> Verdicts:
    """Find near-duplicates among some rows of signatures; documents are numbered as in `order`."""
    num_permutations = signatures.shape[1]
    buckets = find_buckets(signatures, order, num_bands, num_rows, max_compared)
    needed = next(k for k in range(num_permutations + 2) if k / num_permutations >= min_similarity)
    duplicate_of, equal, component, tally = _resolve(
        signatures, order, *buckets, max_compared, needed
    )
    return Verdicts(
        duplicate_of,
        (equal / num_permutations).astype(np.float32),
        np.zeros(len(order), np.bool_),
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
    document: int, rooms: Indices, notes: Numbers, seen_by: Numbers, candidates: Indices
) -> int:
    """Collect whom to compare with, each once: its rooms' kept documents and last visitors."""
    count = 0
    for room in rooms:
        kept = room + HEADER
        for place in range(kept - 1, kept + notes[room + KEPT]):
            other = notes[place] if place >= kept else notes[room + VISITOR] - 1
            if other != NOBODY and seen_by[other] != document:
                seen_by[other] = document
                candidates[count] = other
                count += 1
        notes[room + VISITOR] = document + 1
    return count


@njit()
def _judge(
    document: int,
    candidates: Indices,
    signatures: npt.NDArray[np.uint32],
    order: Indices,
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
        equal = _count_equal(signatures[order[document]], signatures[order[other]])
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
    document: int, rooms: Indices, notes: Numbers, max_compared: int, tally: Indices
) -> None:
    """Note a kept document in its rooms, where there is a place left."""
    for room in rooms:
        if notes[room + KEPT] < max_compared:
            notes[room + HEADER + notes[room + KEPT]] = document
            notes[room + KEPT] += 1
        else:
            tally[2] += 1


@njit(
    "UniTuple(int64[::1], 4)(uint32[:, ::1], int64[::1], int32[:, ::1], int64[::1], int64, int64)",
    cache=True,
)
def _resolve(
    signatures: npt.NDArray[np.uint32],
    order: Indices,
    room_of: Numbers,
    first_place: Indices,
    max_compared: int,
    needed: int,
) -> tuple[Indices, Indices, Indices, Indices]:
    """Decide document by document; return duplicate_of, equal entries, component, and the tally.

    A bucket's room (`tasks.dedup.lsh`) holds how many documents are noted there as kept, the last
    visitor plus one, and the kept documents.
    """
    num_bands, number = room_of.shape
    notes = np.zeros(first_place[-1], np.int32)
    seen_by = np.full(number, NOBODY, np.int32)  # the last document each was a candidate of
    candidates = np.empty(num_bands * (max_compared + 1), np.int64)
    rooms = np.empty(num_bands, np.int64)
    duplicate_of = np.full(number, NOBODY, np.int64)
    most_equal = np.zeros(number, np.int64)
    parent = np.arange(number)
    tally = np.zeros(3, np.int64)
    for document in range(number):
        shared = 0
        for band in range(num_bands):
            if room_of[band, document] != ALONE:
                rooms[shared] = first_place[band] + room_of[band, document]
                shared += 1
        mine = rooms[:shared]
        count = _gather(document, mine, notes, seen_by, candidates)
        _judge(
            document, candidates[:count], signatures, order, needed, duplicate_of, most_equal,
            parent, tally,
        )  # fmt: skip
        if duplicate_of[document] == NOBODY:
            _enter(document, mine, notes, max_compared, tally)
    for document in range(number):
        parent[document] = _find_root(parent, document)
    return duplicate_of, most_equal, parent, tally
