"""Locality-sensitive hashing: documents that share a band of their signatures share a bucket.

A signature is cut into `num_bands` bands of `num_rows` entries (Indyk and Motwani 1998; Leskovec,
Rajaraman and Ullman, "Mining of Massive Datasets", section 3.4). Two documents of similarity s
agree in one band with probability s ** num_rows, so they share a bucket somewhere with
1 - (1 - s ** num_rows) ** num_bands. Example: 32 bands of 4 rows find a pair at 0.7 with
1 - (1 - 0.2401) ** 32 = 0.9998, and one at 0.3 with 0.23. Finding too many costs little, since
every pair is verified afterwards; a pair not found is lost.

A band's keys are first parted by their last bits into runs that fit the cache, with their tables;
so a document costs nearly the same among a million as among a thousand (radix
clustering; Manegold, Boncz and Kersten, "Optimizing main-memory join on modern hardware", 2002).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit, types

ALONE = -1  # the bucket of a document that shares its band with nobody

HEADER = 2  # places of a room before those of members
PART_KEYS = 4096  # on average; about 100 KB with rows and table, a tenth of a core's own cache
BANDS_AT_ONCE = 8  # 8 bands of 4 entries are two cache lines of a signature; 64 bytes of keys
READ_ONLY_SIGNATURES = types.Array(types.uint32, 2, "C", readonly=True)
FNV_SEED = np.uint64(0xCBF29CE484222325)
SPREAD = np.uint64(0x9E3779B97F4A7C15)

Signatures = npt.NDArray[np.uint32]
Numbers = npt.NDArray[np.int32]
Indices = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


class Buckets(NamedTuple):
    """Who shares a band with whom. Every bucket of two or more has a room to take notes in.

    A room is HEADER places and one per member, up to a limit. That of document i in band b begins
    at place `first_place[b] + room_of[b, i]`; rooms stand in the order of their first members.
    """

    room_of: Numbers  # (num_bands, N), or ALONE
    first_place: Indices  # (num_bands + 1,)


class KeySet:
    """Keys of documents, to ask which others have one of them.

    The table is open, of a power of two places, at most half of them taken; 0 is an empty place.
    """

    def __init__(self, number: int) -> None:
        """A set with room for `number` keys."""
        self._table = np.zeros(1 << (2 * number).bit_length(), np.uint64)

    def add(self, keys: Keys) -> None:
        """Take in `keys` (any, N)."""
        _insert(keys, self._table)

    def has(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Say (N,) of each document with `keys` (any, N) whether one of them is there."""
        found = np.zeros(keys.shape[1], np.bool_)
        _look_up(keys, self._table, found)
        return found


class _Parts(NamedTuple):
    """The keys of one band, those of a part beside each other."""

    keys: Keys  # (N,)
    rows: Numbers  # (N,) of the signatures, ascending within a part
    ends: Indices  # (parts,) where each ends; parts are a power of two


def collision_probability(similarity: float, num_bands: int, num_rows: int) -> float:
    """Return the probability that two documents of this similarity share a bucket."""
    return float(1.0 - (1.0 - similarity**num_rows) ** num_bands)


def find_buckets(
    signatures: Signatures, order: Indices, num_bands: int, num_rows: int, max_members: int
) -> Buckets:
    """Find the buckets of N documents and give them rooms.

    Two different bands whose 64-bit keys are equal share a bucket by mistake; verification parts
    them.

    Args:
        signatures: (rows, num_permutations), read as they lie.
        order: (N,) the row of each document, no row twice; the others take no part.
        num_bands: bands of `num_rows` entries, from the beginning of a signature.
        num_rows: see `num_bands`.
        max_members: most places for members in a room.
    """
    rows = np.sort(order).astype(np.int32)
    keys = np.empty((min(BANDS_AT_ONCE, num_bands), len(rows)), np.uint64)
    num_parts = 1 << (len(rows) // PART_KEYS).bit_length()
    parts = _Parts(np.empty_like(keys[0]), np.empty_like(rows), np.empty(num_parts, np.int64))
    leader = np.empty(len(signatures), np.int32)
    size = np.empty_like(leader)
    room_of = np.empty((num_bands, len(order)), np.int32)
    first_place = np.zeros(num_bands + 1, np.int64)
    for band in range(num_bands):
        own = band % BANDS_AT_ONCE
        if own == 0:
            _hash_bands(signatures, rows, band * num_rows, num_rows, keys[: num_bands - band])
        _spread(keys[own], rows, *parts)
        _match(*parts, leader, size)
        places = _give_rooms(order, leader, size, max_members, room_of[band])
        first_place[band + 1] = first_place[band] + places
    return Buckets(room_of, first_place)


def band_keys(signatures: Signatures, num_bands: int, num_rows: int) -> Iterator[Keys]:
    """Yield the keys (bands, N) of some bands after the other; who shares one shares a bucket."""
    rows = np.arange(len(signatures), dtype=np.int32)
    for band in range(0, num_bands, BANDS_AT_ONCE):
        keys = np.empty((min(BANDS_AT_ONCE, num_bands - band), len(rows)), np.uint64)
        _hash_bands(signatures, rows, band * num_rows, num_rows, keys)
        yield keys


@njit("void(uint64[:, ::1], uint64[::1])", cache=True)
def _insert(keys: Keys, table: Keys) -> None:
    mask = np.uint64(len(table) - 1)
    for key in keys.flat:
        place = key & mask
        while table[place] != 0 and table[place] != key:
            place = (place + np.uint64(1)) & mask
        table[place] = key


@njit("void(uint64[:, ::1], uint64[::1], boolean[::1])", cache=True)
def _look_up(keys: Keys, table: Keys, found: npt.NDArray[np.bool_]) -> None:
    mask = np.uint64(len(table) - 1)
    for band in range(len(keys)):
        for document in range(len(found)):
            key = keys[band, document]
            place = key & mask
            while table[place] != 0 and table[place] != key:
                place = (place + np.uint64(1)) & mask
            found[document] |= table[place] == key


@njit([(READ_ONLY_SIGNATURES, types.int32[::1], types.int64, types.int64, types.uint64[:, ::1])],
      cache=True)  # fmt: skip
def _hash_bands(
    signatures: Signatures, rows: Numbers, first_entry: int, num_rows: int, keys: Keys
) -> None:
    """Write the keys (bands, N) of the bands from `first_entry` on."""
    for document in range(len(rows)):
        signature = signatures[rows[document]]
        entry = first_entry
        for band in range(len(keys)):
            key = FNV_SEED + np.uint64(entry) * SPREAD  # equal entries of two bands differ
            for _ in range(num_rows):
                key = (key ^ np.uint64(signature[entry])) * SPREAD
                key ^= key >> np.uint64(29)
                entry += 1
            keys[band, document] = key


@njit("void(uint64[::1], int32[::1], uint64[::1], int32[::1], int64[::1])", cache=True)
def _spread(keys: Keys, rows: Numbers, part_keys: Keys, part_rows: Numbers, ends: Indices) -> None:
    """Bring the keys of a part together, with their rows; within a part the order stays."""
    mask = np.uint64(len(ends) - 1)
    ends[:] = 0
    for key in keys:
        ends[key & mask] += 1
    total = 0
    for part in range(len(ends)):
        ends[part], total = total, total + ends[part]
    for i in range(len(keys)):
        part = keys[i] & mask
        part_keys[ends[part]] = keys[i]
        part_rows[ends[part]] = rows[i]
        ends[part] += 1


@njit("void(uint64[::1], int32[::1], int64[::1], int32[::1], int32[::1])", cache=True)
def _match(
    part_keys: Keys, part_rows: Numbers, ends: Indices, leader: Numbers, size: Numbers
) -> None:
    """Find equal keys: write `leader`, the bucket's first row, for its rows, and its `size` there.

    The table of a part is open, of a power of two places; a place holds where the key stands.
    """
    leader[:] = ALONE
    table = np.empty(2, np.int32)
    start = 0
    for end in ends:
        places = 2
        while places < 2 * (end - start):
            places *= 2
        if places > len(table):
            table = np.empty(places, np.int32)
        table[:places] = -1
        mask = np.uint64(places - 1)
        for i in range(start, end):
            place = (part_keys[i] >> np.uint64(32)) & mask
            while table[place] >= 0 and part_keys[table[place]] != part_keys[i]:
                place = (place + np.uint64(1)) & mask
            if table[place] < 0:
                table[place] = i
                continue
            first = part_rows[table[place]]
            if leader[first] == ALONE:
                leader[first], size[first] = first, 1
            leader[part_rows[i]] = first
            size[first] += 1
        start = end


@njit("int64(int64[::1], int32[::1], int32[::1], int64, int32[::1])", cache=True)
def _give_rooms(
    order: Indices, leader: Numbers, size: Numbers, max_members: int, room_of: Numbers
) -> int:
    """Lay out the rooms, write where each document's begins, and return the places needed."""
    places = 0
    for document in range(len(order)):
        first = leader[order[document]]
        if first == ALONE:
            room_of[document] = ALONE
            continue
        if size[first] > 0:  # it has no room yet; from now on, the complement of its place
            members = min(int(size[first]), max_members)
            size[first] = ~places
            places += HEADER + members
        room_of[document] = ~size[first]
    return places
