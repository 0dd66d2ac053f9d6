"""The order in which documents compete: of two duplicates, the earlier one is kept."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.dedup import KeepPolicy

Direction = Literal["ascending", "descending"]

# By policy: the columns to sort by, before the id.
SORTED_BY: dict[KeepPolicy, tuple[tuple[str, Direction], ...]] = {
    "longest": (("num_bytes", "descending"),),
    "oldest": (("first_seen", "ascending"), ("num_bytes", "descending")),
    "newest": (("first_seen", "descending"), ("num_bytes", "descending")),
    "best_score": (("score", "descending"), ("num_bytes", "descending")),
    "preferred_source": (("preference", "ascending"), ("num_bytes", "descending")),
}


def keep_order(
    documents: pa.Table, policy: KeepPolicy, preferred_sources: tuple[str, ...] = ()
) -> npt.NDArray[np.int64]:
    """Return row numbers, the first to keep first; ties go to the longest, then by id.

    Args:
        documents: columns id, source, num_bytes, first_seen (ISO date, "" when unknown) and, for
            `best_score`, score (float, null when unknown).
        policy: `longest`; `oldest` or `newest`, an unknown date after all known ones; `best_score`,
            an unknown one last; or `preferred_source`, those not named after all named ones.
        preferred_sources: the order for `preferred_source`.
    """
    keys = [*SORTED_BY[policy], ("id", "ascending")]
    columns = {name: documents[name] for name, _ in keys if name in documents.column_names}
    if "first_seen" in columns:
        columns["first_seen"] = _dates(documents, unknown="~" if policy == "oldest" else "")
    if policy == "preferred_source":
        sources = documents["source"].cast(pa.large_string())
        places = pc.index_in(sources, pa.array(preferred_sources, pa.large_string()))
        columns["preference"] = pc.fill_null(places, len(preferred_sources))
    return np.asarray(pc.sort_indices(pa.table(columns), sort_keys=keys), dtype=np.int64)


def naming_order(documents: pa.Table) -> npt.NDArray[np.int64]:
    """Return row numbers, the first seen first, those of unknown date last; ties go by id.

    Whoever comes later stands behind, whatever the policy, so the first of a cluster stays first.
    """
    columns = {"first_seen": _dates(documents, unknown="~"), "id": documents["id"]}
    keys: list[tuple[str, Direction]] = [(name, "ascending") for name in columns]
    return np.asarray(pc.sort_indices(pa.table(columns), sort_keys=keys), dtype=np.int64)


def _dates(documents: pa.Table, unknown: str) -> pa.ChunkedArray:
    """When each document was first seen."""
    dates = documents["first_seen"].cast(pa.large_string())
    return pc.if_else(pc.equal(dates, ""), unknown, dates)
