"""Chooses documents to show: per reason those with the smallest ids.

A document's id is a hash of its source, address and text, so the smallest ids are a fair draw that
needs no random numbers, is the same on every machine, and moves little when a corpus grows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document lies: the file's number and the row in it."""

    file: int
    row: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """One chosen decision."""

    id: str
    place: Place
    similarity: float


def choose(tables: Iterable[pa.Table], most: int) -> dict[str, list[Chosen]]:
    """For each reason of a source's decision tables ("" is kept) the `most` smallest ids.

    The tables hold id, reason and similarity; they come in the order of the files.
    """
    chosen: dict[str, list[Chosen]] = {}
    for number, table in enumerate(tables):
        for reason in pc.unique(table.column("reason")).to_pylist():
            rows = _smallest(table, reason, most)
            found = [
                Chosen(
                    table.column("id")[row].as_py(),
                    Place(number, row),
                    float(table.column("similarity")[row].as_py() or 0.0),
                )
                for row in rows
            ]
            known = chosen.get(reason, [])
            chosen[reason] = sorted(known + found, key=lambda c: (c.id, c.place.file, c.place.row))[
                :most
            ]
    return chosen


def _smallest(table: pa.Table, reason: str, most: int) -> list[int]:
    """The rows of one reason with the smallest ids."""
    rows = pc.indices_nonzero(pc.equal(table.column("reason"), reason))
    if not most or not len(rows):
        return []
    ids = table.column("id").take(rows)
    # Equal ids (one page twice) are ordered by their row, so that the choice is the same each time.
    keyed = pa.table({"id": ids, "row": rows})
    order = pc.select_k_unstable(
        keyed, k=min(most, len(rows)), sort_keys=[("id", "ascending"), ("row", "ascending")]
    )
    return [int(row) for row in rows.take(order).to_pylist()]


def locate(tables: Iterable[pa.Table], ids: Sequence[str]) -> dict[str, Place]:
    """Where documents lie, by their ids; unknown ids are left out."""
    wanted = pa.array(sorted(set(ids)), pa.string())
    places: dict[str, Place] = {}
    for number, table in enumerate(tables):
        column = table.column("id")
        for row in pc.indices_nonzero(pc.is_in(column, wanted)).to_pylist():
            places.setdefault(column[row].as_py(), Place(number, int(row)))
    return places


def spread(number: int, most: int) -> list[int]:
    """At most `most` of the indices 0 … number - 1, evenly spaced, both ends in it.

    >>> spread(10, 4)
    [0, 3, 6, 9]
    """
    if number <= most:
        return list(range(number))
    if most <= 1:
        return list(range(most))
    return [round(index * (number - 1) / (most - 1)) for index in range(most)]
