"""Which anchors come more than once in a corpus, in bounded memory.

Every shard has a table of its anchors, ANCHOR_SCHEMA in order of their hashes. Ranges of hashes are
merged one after the other; what comes more than once is appended to a file per shard. Nothing is
held for longer than a range.
"""

from collections.abc import Sequence
from math import ceil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from storage.tables import read_table
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
    number = sum(pq.read_metadata(path).num_rows for path in tables)
    num_ranges = max(1, ceil(number * ANCHOR_BYTES / max_bytes))
    files = [folder / f"repeated-{index:06d}.bin" for index in range(len(tables))]
    for path in files:
        path.touch()
    for part in range(num_ranges):
        low, high = (edge * 2**64 // num_ranges for edge in (part, part + 1))
        hashes, units, owners = _range(tables, low, high)
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


def _range(
    tables: Sequence[Path], low: int, high: int
) -> tuple[Hashes, Places, npt.NDArray[np.int32]]:
    """Hash, unit and table of the anchors with `low <= hash < high`, table by table."""
    hashes, units = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    owners = [np.empty(0, np.int32)]
    for index, path in enumerate(tables):
        table = read_table(path)
        own = table["hash"].to_numpy()
        start = np.searchsorted(own, np.uint64(low))
        end = len(own) if high == 2**64 else np.searchsorted(own, np.uint64(high))
        hashes.append(own[start:end])
        units.append(table["unit"].to_numpy()[start:end])
        owners.append(np.full(end - start, index, np.int32))
    return np.concatenate(hashes), np.concatenate(units), np.concatenate(owners)


def _sort_by_unit(path: Path) -> None:
    rows = read_repeated(path)
    rows[np.argsort(rows["unit"], kind="stable")].tofile(path)
