"""The order in which documents compete: of two duplicates, the earlier one is kept."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.dedup import KeepPolicy


def keep_order(
    documents: pa.Table, policy: KeepPolicy, preferred_sources: tuple[str, ...] = ()
) -> npt.NDArray[np.int64]:
    """Return row numbers, the first to keep first; ties are broken by id.

    Args:
        documents: columns id, source, num_bytes and first_seen (ISO date, "" when unknown).
        policy: `longest`; `oldest`, an unknown date after all known ones; or `preferred_source`,
            those not named after all named ones, then the longest.
        preferred_sources: the order for `preferred_source`.
    """
    keys = {
        "longest": pc.negate(documents["num_bytes"]),
        "oldest": pc.if_else(pc.equal(documents["first_seen"], ""), "~", documents["first_seen"]),
        "preferred_source": pc.fill_null(
            pc.index_in(documents["source"], pa.array(preferred_sources, pa.string())),
            len(preferred_sources),
        ),
    }
    columns = ["preferred_source", "longest"] if policy == "preferred_source" else [policy]
    table = pa.table({name: keys[name] for name in columns} | {"id": documents["id"]})
    order = pc.sort_indices(table, sort_keys=[(name, "ascending") for name in table.column_names])
    return np.asarray(order, dtype=np.int64)
