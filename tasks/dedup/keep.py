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
    table = documents
    if policy == "oldest":
        dates = pc.if_else(pc.equal(table["first_seen"], ""), "~", table["first_seen"])
        table = table.set_column(table.column_names.index("first_seen"), "first_seen", dates)
    if policy == "preferred_source":
        places = pc.index_in(table["source"], pa.array(preferred_sources, pa.string()))
        table = table.append_column("preference", pc.fill_null(places, len(preferred_sources)))
    keys = [*SORTED_BY[policy], ("id", "ascending")]
    return np.asarray(pc.sort_indices(table, sort_keys=keys), dtype=np.int64)
