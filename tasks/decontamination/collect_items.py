"""Collect items: evaluation sets in files -> one table of the texts to look for.

`items.parquet` has ITEM_SCHEMA, sets by name and rows in order. Everything after it depends on the
items alone, whichever files they came from.
"""

import pyarrow as pa

from pipeline_config.decontamination import EvaluationSet
from storage.build import Build
from tasks.decontamination.item_files import read_items

ITEM_SCHEMA = pa.schema(
    [
        ("set", pa.string()),
        ("number", pa.int64()),  # row of the set, over all its files
        ("column", pa.string()),  # "" for plain text
        ("text", pa.string()),
    ]
)


def collect_items(build: Build, sets: dict[str, EvaluationSet]) -> None:
    """Read all sets.

    Raises:
        ValueError: when a set has no text, or a file cannot be read.
    """
    rows = []
    by_set: dict[str, int] = {}
    for name, one in sorted(sets.items()):
        items = list(read_items(one, build.counts.drop))
        if not items:
            raise ValueError(f"{build.label}: {name!r} holds no text: {build.counts}")
        by_set[name] = len(items)
        rows += [{"set": name, **item._asdict()} for item in items]
    if not rows:
        raise ValueError(f"{build.label} is given no evaluation set")
    build.add_table("items.parquet", pa.Table.from_pylist(rows, ITEM_SCHEMA), ITEM_SCHEMA)
    build.counts.kept = len(rows)
    build.counts.read = len(rows) + sum(build.counts.dropped.values())
    build.counts.extra["by_set"] = by_set
