"""The scores of classifiers beside the other signals of the same documents."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from storage.tables import read_table

CUTOFF = "cutoff.json"  # of the step find-cutoff


def column(classifier: str) -> str:
    """The signal that a classifier adds, and the beginning of its reasons."""
    return f"classifier_{classifier}"


def with_classes(scores: Path, classes: Mapping[str, Path]) -> pa.Table:
    """Return one file of scores with a column per classifier.

    Raises:
        ValueError: when a file is about other documents.
    """
    table = read_table(scores)
    for name, path in sorted(classes.items()):
        added = read_table(path)
        if added["id"].combine_chunks() != table["id"].combine_chunks():
            raise ValueError(f"the classifier {name} has scored other documents")
        table = table.append_column(column(name), added["score"])
    return table
