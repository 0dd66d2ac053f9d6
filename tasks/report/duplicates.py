"""Describes duplicates: how many were dropped for how many, and the largest groups of them."""

import pyarrow as pa
import pyarrow.compute as pc

from tasks.report.contents import DuplicateGroup, Duplicates, GroupMember
from tasks.report.examples import spread
from tasks.report.figures import RANGE

COLUMNS = ["id", "source", "url", "kept", "duplicate_of", "similarity"]


def size_label(size: int) -> str:
    """The bin of a group's size: 2 and 3 alone, then 4 to 7, 8 to 15, … doubling.

    >>> [size_label(size) for size in (2, 3)]
    ['2', '3']
    """
    if size < 4:
        return str(size)
    low = 1 << (size.bit_length() - 1)
    return f"{low}{RANGE}{2 * low - 1}"


def describe(table: pa.Table, most_groups: int, most_members: int) -> Duplicates:
    """Who was dropped for whom, given COLUMNS of `clusters.parquet`.

    Its clusters hold look-alikes too for which nothing was dropped; they are left out.
    """
    named = pc.if_else(table.column("kept"), table.column("id"), table.column("duplicate_of"))
    table = table.append_column("stands", named)
    groups = (
        table.select(["stands", "id", "source"])
        .group_by("stands")
        .aggregate([("id", "count"), ("source", "count_distinct")])
        .sort_by([("id_count", "descending"), ("stands", "ascending")])
    )
    groups = groups.filter(pc.greater(groups.column("id_count"), 1))
    sizes: dict[str, int] = {}
    for size in reversed(groups.column("id_count").to_pylist()):
        sizes[size_label(size)] = sizes.get(size_label(size), 0) + 1
    largest = groups.slice(0, most_groups).column("stands").to_pylist()
    return Duplicates(
        groups=groups.num_rows,
        dropped=(pc.sum(groups.column("id_count")).as_py() or 0) - groups.num_rows,
        sizes=tuple(sizes.items()),
        across_sources=pc.sum(pc.greater(groups.column("source_count_distinct"), 1)).as_py() or 0,
        largest=tuple(_group(table, name, most_members) for name in largest),
    )


def _group(table: pa.Table, name: str, most_members: int) -> DuplicateGroup:
    rows = table.filter(pc.equal(table.column("stands"), name)).select(COLUMNS).to_pylist()
    # From the most to the least similar: the last one shows how far the threshold reaches.
    rows.sort(key=lambda row: (not row["kept"], -row["similarity"], row["id"]))
    shown = [rows[0], *(rows[1 + index] for index in spread(len(rows) - 1, most_members - 1))]
    members = (
        GroupMember(row["id"], row["url"], row["source"], row["kept"], row["similarity"])
        for row in shown
    )
    return DuplicateGroup(len(rows), tuple(members))
