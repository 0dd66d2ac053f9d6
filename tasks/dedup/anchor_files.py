"""Which anchors come more than once in a corpus, in bounded memory.

Every shard has a table of its anchors, ANCHOR_SCHEMA in order of their hashes. Ranges of hashes are
merged one after the other; what comes more than once is appended to a file per shard. Nothing is
held for longer than a range, and of every table a range reads only the row groups that hold some of
it, by their statistics.
"""

from bisect import bisect_left
from collections.abc import Sequence
from math import ceil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.dedup.anchors import Span, find_anchors, first_units
from tasks.dedup.word_stream import Hashes, Places, blocks

ANCHOR_SCHEMA = pa.schema(
    [
        ("hash", pa.uint64()),
        ("unit", pa.int64()),  # its first, counted through all kept texts of the shard
    ]
)
REPEATED = np.dtype([("unit", "<i8"), ("hash", "<u8")])
ANCHOR_BYTES = 48  # of memory for each anchor of a range: hash, unit, shard, order, masks
# Anchors of a row group: a range reads up to two groups of each table in vain, so with 1,000 tables
# and ranges of 5 million (256 MB) less than it needs.
GROUP_ROWS = 2_000


def anchor_table(texts: pa.Array, span: Span) -> tuple[pa.Table, int, int]:
    """The anchors of a shard's texts; how many units it has, and how many bytes of words."""
    hashes, places = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    num_units = num_bytes = 0
    for _, words in blocks(texts):
        found, at = find_anchors(words, span)
        hashes.append(found)
        places.append(at + num_units)
        num_units += int(first_units(words, span)[-1])
        num_bytes += len(words.stream)
    hash_of, unit = np.concatenate(hashes), np.concatenate(places)
    order = np.lexsort((unit, hash_of))
    table = pa.table({"hash": hash_of[order], "unit": unit[order]}, schema=ANCHOR_SCHEMA)
    return table, num_units, num_bytes


def write_repeated(tables: Sequence[Path], folder: Path, max_bytes: int) -> list[Path]:
    """Write the anchors that come more than once, a file of REPEATED in order of unit per table.

    About `max_bytes` of memory are used.
    """
    ends = [group_ends(path) for path in tables]
    number = sum(pq.read_metadata(path).num_rows for path in tables)
    num_ranges = max(1, ceil(number * ANCHOR_BYTES / max_bytes))
    files = [folder / f"repeated-{index:06d}.bin" for index in range(len(tables))]
    for path in files:
        path.touch()
    for part in range(num_ranges):
        low, high = (edge * 2**64 // num_ranges for edge in (part, part + 1))
        hashes, units, owners = _range(tables, ends, low, high)
        order = np.argsort(hashes, kind="stable")
        equal = hashes[order][1:] == hashes[order][:-1]
        repeated = np.zeros(len(order), dtype=bool)
        repeated[order[1:]] = equal
        repeated[order[:-1]] |= equal
        rows = np.flatnonzero(repeated)
        edges = np.searchsorted(owners[rows], np.arange(len(tables) + 1))
        for index, path in enumerate(files):
            own = rows[edges[index] : edges[index + 1]]
            block = np.empty(len(own), REPEATED)
            block["unit"], block["hash"] = units[own], hashes[own]
            with path.open("ab") as file:
                block.tofile(file)
    for path in files:
        _sort_by_unit(path)
    return files


def read_repeated(path: Path) -> npt.NDArray[np.void]:
    """What `write_repeated` left for a shard."""
    return np.fromfile(path, REPEATED)


def pass_of(hashes: Hashes, num_passes: int) -> Hashes:
    """Which pass looks at an anchor: equal ones are in the same."""
    return ((hashes >> np.uint64(32)) * np.uint64(num_passes)) >> np.uint64(32)


def group_ends(path: Path) -> list[int]:
    """The largest hash of each row group of a table."""
    groups = pq.read_metadata(path)
    columns = (groups.row_group(index).column(0) for index in range(groups.num_row_groups))
    return [column.statistics.max for column in columns if column.num_values]


def read_range(path: Path, ends: list[int], low: int, high: int) -> tuple[Hashes, Places]:
    """Hash and unit of the anchors of a table with `low <= hash < high`; `ends` are group_ends."""
    groups = range(bisect_left(ends, low), min(bisect_left(ends, high) + 1, len(ends)))
    with pq.ParquetFile(path) as file:
        table = file.read_row_groups(list(groups))
    hashes = table["hash"].to_numpy()
    start = np.searchsorted(hashes, np.uint64(low))
    end = len(hashes) if high == 2**64 else np.searchsorted(hashes, np.uint64(high))
    return hashes[start:end], table["unit"].to_numpy()[start:end]


def _range(
    tables: Sequence[Path], ends: Sequence[list[int]], low: int, high: int
) -> tuple[Hashes, Places, npt.NDArray[np.int32]]:
    """Hash, unit and table of the anchors with `low <= hash < high`, table by table."""
    hashes, units = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    owners = [np.empty(0, np.int32)]
    for index, (path, own_ends) in enumerate(zip(tables, ends, strict=True)):
        own, places = read_range(path, own_ends, low, high)
        hashes.append(own)
        units.append(places)
        owners.append(np.full(len(own), index, np.int32))
    return np.concatenate(hashes), np.concatenate(units), np.concatenate(owners)


def _sort_by_unit(path: Path) -> None:
    rows = read_repeated(path)
    rows[np.argsort(rows["unit"], kind="stable")].tofile(path)
