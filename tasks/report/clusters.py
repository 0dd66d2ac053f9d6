"""Describes clusters with duplicates: how many, how large, and some with their members."""

import pyarrow as pa
import pyarrow.compute as pc

from tasks.report.contents import Cluster, ClusterMember, Duplicates
from tasks.report.examples import spread
from tasks.report.figures import RANGE

COLUMNS = ["cluster", "id", "source", "url", "kept", "similarity"]


def size_label(size: int) -> str:
    """The bin of a cluster size: 2 and 3 alone, then 4 to 7, 8 to 15, … doubling.

    >>> [size_label(size) for size in (2, 3)]
    ['2', '3']
    """
    if size < 4:
        return str(size)
    low = 1 << (size.bit_length() - 1)
    return f"{low}{RANGE}{2 * low - 1}"


def describe(table: pa.Table, most_clusters: int, most_members: int) -> Duplicates:
    """Those of `clusters.parquet` (a row per document of clusters of two or more) with a duplicate.

    The others only hold look-alikes together; `largest` are those with the most duplicates.
    """
    groups = (
        table.select(COLUMNS)
        .append_column("dropped", pc.cast(pc.invert(table.column("kept")), pa.int64()))
        .group_by("cluster")
        .aggregate([("id", "count"), ("source", "count_distinct"), ("dropped", "sum")])
        .sort_by([("dropped_sum", "descending"), ("cluster", "ascending")])
    )
    groups = groups.filter(pc.greater(groups.column("dropped_sum"), 0))
    documents = pc.sum(groups.column("id_count")).as_py() or 0
    sizes: dict[str, int] = {}
    for size in sorted(groups.column("id_count").to_pylist()):
        sizes[size_label(size)] = sizes.get(size_label(size), 0) + 1
    largest = groups.slice(0, most_clusters).column("cluster").to_pylist()
    return Duplicates(
        clusters=groups.num_rows,
        documents=documents,
        kept=documents - (pc.sum(groups.column("dropped_sum")).as_py() or 0),
        sizes=tuple(sizes.items()),
        across_sources=pc.sum(pc.greater(groups.column("source_count_distinct"), 1)).as_py() or 0,
        largest=tuple(_cluster(table, name, most_members) for name in largest),
    )


def _cluster(table: pa.Table, name: str, most_members: int) -> Cluster:
    rows = table.filter(pc.equal(table.column("cluster"), name)).select(COLUMNS).to_pylist()
    kept = sorted((row for row in rows if row["kept"]), key=lambda row: row["id"])
    dropped = sorted(
        (row for row in rows if not row["kept"]), key=lambda row: (-row["similarity"], row["id"])
    )
    num_kept = len(kept)
    kept = kept[: max(1, most_members // 2)]
    # From the most to the least similar: the last one shows how far the threshold reaches.
    room = most_members - len(kept)
    shown = [*kept, *(dropped[index] for index in spread(len(dropped), room))]
    members = tuple(
        ClusterMember(
            row["id"], row["url"], row["source"], row["kept"], float(row["similarity"] or 0.0)
        )
        for row in shown
    )
    return Cluster(name, len(rows), num_kept, members)
