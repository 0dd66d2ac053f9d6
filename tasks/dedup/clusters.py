"""Who repeats whom: a document is dropped iff it is verified similar to an earlier kept one.

Documents come in keep order (`tasks.dedup.keep`). Each is compared with the kept documents in its
buckets, by the share of equal signature entries, so one false collision never chains a whole
source away, and the answer for a document depends on those before it alone: adding documents at
the end changes nothing before.

Clusters say which documents belong together: the components of all pairs that are similar enough
for that, a document and a kept one. They decide nothing here; later stages keep a cluster on one
side of the held-out split, so they ask for less than a duplicate does.

Neighbourhoods say which documents can matter to each other: those that share a bucket, or a normal
form, directly or through others. What is found in one depends on nothing outside, so only those
that a change touches need to be looked at again (`tasks.dedup.earlier`).

Worked example, in order A B C D with B like A, C like B but unlike A, D like nobody: B is a
duplicate of A; C is kept, for B is gone; the clusters are {A, B}, {C} and {D}. B shares a bucket
with A and with C, so the neighbourhoods are {A, B, C} and {D}.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from tasks.dedup.lsh import ALONE, HEADER, find_buckets

NOBODY = -1
KEPT, FIRST = 0, 1  # what the two places of a room's header hold
COMPARED, VERIFIED, FULL = 0, 1, 2  # columns of `work`

Indices = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]


class Verdicts(NamedTuple):
    """What was found about N documents."""

    duplicate_of: Indices  # (N,) the kept document it repeats, or NOBODY
    similarity: npt.NDArray[np.float32]  # (N,) to that document, else 0
    is_exact: npt.NDArray[np.bool_]  # (N,) whether their normal forms are equal
    component: Indices  # (N,) equal for the members of a cluster
    neighbourhood: Indices  # (N,) equal for those that share a bucket, directly or through others
    # (N, 3): with how many each was compared, to how many it was verified similar, and in how many
    # buckets of max_compared it, being kept, found no place.
    work: Numbers


def find_duplicates(
    signatures: npt.NDArray[np.uint32],
    exact_codes: Indices,
    has_shingles: npt.NDArray[np.bool_],
    order: Indices,
    *,
    num_bands: int,
    num_rows: int,
    min_similarity: float,
    cluster_similarity: float,
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
        cluster_similarity: least share with which two belong to one cluster, at most the former.
        max_compared: kept documents of one bucket that a later one is compared with, the earliest.
    """
    leader = _first_of_code(exact_codes, order)
    leads = leader == np.arange(len(leader))
    compared = order[(leads & has_shingles)[order]]  # in keep order, one per normal form

    buckets = find_buckets(signatures, compared, num_bands, num_rows, max_compared)
    near_duplicate_of, equal, near_component, near_neighbourhood, near_work = _resolve(
        signatures,
        compared,
        *buckets,
        max_compared,
        _entries_for(min_similarity, signatures.shape[1]),
        _entries_for(cluster_similarity, signatures.shape[1]),
    )
    duplicate_of = np.full(len(order), NOBODY, np.int64)
    similarity = np.zeros(len(order), np.float32)
    component = np.arange(len(order))
    neighbourhood = component.copy()
    work = np.zeros((len(order), near_work.shape[1]), np.int32)
    found = near_duplicate_of != NOBODY
    duplicate_of[compared[found]] = compared[near_duplicate_of[found]]
    similarity[compared] = equal / signatures.shape[1]
    component[compared] = compared[near_component]
    neighbourhood[compared] = compared[near_neighbourhood]
    work[compared] = near_work

    # Copies of a kept leader repeat the leader; copies of a dropped one repeat what it repeats.
    is_exact = ~leads & (duplicate_of[leader] == NOBODY)
    inherited = np.where(is_exact, leader, duplicate_of[leader])
    return Verdicts(
        duplicate_of=np.where(leads, duplicate_of, inherited),
        similarity=np.where(is_exact, np.float32(1), similarity[leader]),
        is_exact=is_exact,
        component=component[leader],
        neighbourhood=neighbourhood[leader],
        work=work,
    )


def _first_of_code(exact_codes: Indices, order: Indices) -> Indices:
    """Return (N,) for every document the first in order with the same code."""
    first = np.empty(exact_codes.max(initial=-1) + 1, np.int64)
    first[exact_codes[order[::-1]]] = order[::-1]  # of several assignments, the last one stays
    return first[exact_codes]


def _entries_for(similarity: float, num_permutations: int) -> int:
    """Return the least number of equal entries that is at least this share of all."""
    return next(k for k in range(num_permutations + 2) if k / num_permutations >= similarity)


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
def _join(parent: Indices, left: int, right: int) -> None:
    left, right = _find_root(parent, left), _find_root(parent, right)
    parent[max(left, right)] = min(left, right)


@njit()
def _gather(
    document: int,
    rooms: Indices,
    notes: Numbers,
    seen_by: Numbers,
    neighbours: Indices,
    candidates: Indices,
) -> int:
    """Collect whom to compare with, its rooms' kept documents, each once.

    It joins the neighbourhood of each room's first document.
    """
    count = 0
    for room in rooms:
        if notes[room + FIRST] == 0:
            notes[room + FIRST] = document + 1
        else:
            _join(neighbours, document, notes[room + FIRST] - 1)
        members = room + HEADER
        for place in range(members, members + notes[room + KEPT]):
            other = notes[place]
            if seen_by[other] != document:
                seen_by[other] = document
                candidates[count] = other
                count += 1
    return count


@njit()
def _judge(
    document: int,
    candidates: Indices,
    signatures: npt.NDArray[np.uint32],
    order: Indices,
    to_drop: int,
    to_join: int,
    duplicate_of: Indices,
    most_equal: Indices,
    parent: Indices,
    work: Numbers,
) -> None:
    """Compare with each candidate: join the clusters, note the most similar one."""
    for other in candidates:
        equal = _count_equal(signatures[order[document]], signatures[order[other]])
        if equal >= to_join:
            _join(parent, document, other)
        if equal < to_drop:
            continue
        work[document, VERIFIED] += 1
        is_best = equal > most_equal[document] or (
            equal == most_equal[document] and other < duplicate_of[document]
        )
        if is_best:
            most_equal[document] = equal
            duplicate_of[document] = other
    work[document, COMPARED] = len(candidates)


@njit()
def _enter(document: int, rooms: Indices, notes: Numbers, max_compared: int, work: Numbers) -> None:
    """Note a kept document in its rooms, where there is a place left."""
    for room in rooms:
        if notes[room + KEPT] < max_compared:
            notes[room + HEADER + notes[room + KEPT]] = document
            notes[room + KEPT] += 1
        else:
            work[document, FULL] += 1


@njit(
    "Tuple((int64[::1], int64[::1], int64[::1], int64[::1], int32[:, ::1]))"
    "(uint32[:, ::1], int64[::1], int32[:, ::1], int64[::1], int64, int64, int64)",
    cache=True,
)
def _resolve(
    signatures: npt.NDArray[np.uint32],
    order: Indices,
    room_of: Numbers,
    first_place: Indices,
    max_compared: int,
    to_drop: int,
    to_join: int,
) -> tuple[Indices, Indices, Indices, Indices, Numbers]:
    """Decide document by document; return duplicate_of, equal entries, and the last three Verdicts.

    Documents are numbered as in `order`. `to_drop` and `to_join` are in equal entries. A bucket's
    room (`tasks.dedup.lsh`) holds how many documents are noted there as kept, the first document
    that came plus one, and the kept documents.
    """
    num_bands, number = room_of.shape
    notes = np.zeros(first_place[-1], np.int32)
    seen_by = np.full(number, NOBODY, np.int32)  # the last document each was a candidate of
    candidates = np.empty(num_bands * max_compared, np.int64)
    rooms = np.empty(num_bands, np.int64)
    duplicate_of = np.full(number, NOBODY, np.int64)
    most_equal = np.zeros(number, np.int64)
    parent = np.arange(number)
    neighbours = np.arange(number)
    work = np.zeros((number, 3), np.int32)
    for document in range(number):
        shared = 0
        for band in range(num_bands):
            if room_of[band, document] != ALONE:
                rooms[shared] = first_place[band] + room_of[band, document]
                shared += 1
        mine = rooms[:shared]
        count = _gather(document, mine, notes, seen_by, neighbours, candidates)
        _judge(
            document, candidates[:count], signatures, order, to_drop, to_join, duplicate_of,
            most_equal, parent, work,
        )  # fmt: skip
        if duplicate_of[document] == NOBODY:
            _enter(document, mine, notes, max_compared, work)
    for document in range(number):
        parent[document] = _find_root(parent, document)
        neighbours[document] = _find_root(neighbours, document)
    return duplicate_of, most_equal, parent, neighbours, work
