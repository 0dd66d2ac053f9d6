"""Dedup: the fingerprints of all sources -> a decision on every document, and the clusters.

Reads signatures and quality's decisions, no text. `<source>/00000.parquet` is row-aligned with the
documents: DECISION_SCHEMA and `cluster`, the id of the cluster's document that was seen first
(those of unknown date last, of those of a day the smallest), which stays what it is when later
documents join. Only where one joins two clusters, the later of them takes the other's name; and
where one takes the place of a kept document, a cluster may part. Documents that quality dropped are
carried along (reason "quality", a cluster of their own) and not counted. `clusters.parquet` lists
the members of clusters of two or more: who was removed for whom, at what similarity, and
look-alikes that stay.

`_neighbourhoods/<source>/00000.parquet` (NOTE_SCHEMA) and `_inputs.parquet` are for the next run,
which decides again only what it touches (`tasks.dedup.earlier`); files that stay are taken over.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.dedup import DedupConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from tasks.dedup.answers import NOTE_SCHEMA, WORK, Earlier, Figures, write_answers
from tasks.dedup.earlier import (
    INPUT_SCHEMA,
    INPUTS_NAME,
    find_earlier,
    input_table,
    rows_to_decide,
)
from tasks.dedup.signed import Indices, read_signed, signed_files

if TYPE_CHECKING:
    from tasks.dedup.clusters import Verdicts

CLUSTERS_NAME = "clusters.parquet"
CLUSTER_SCHEMA = pa.schema(
    [
        ("cluster", pa.string()),
        ("id", pa.string()),
        ("source", pa.string()),
        ("url", pa.string()),
        ("kept", pa.bool_()),
        ("duplicate_of", pa.string()),
        ("similarity", pa.float32()),
    ]
)
CLUSTER_ORDER = [("cluster", "ascending"), ("kept", "descending"), ("id", "ascending")]
REASONS = ("exact_duplicate", "near_duplicate")
CURVE_AT = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LARGEST_CLUSTERS = 20  # told in the counts


def decide_duplicates(
    build: Build,
    signatures: dict[str, ArtifactRef],
    decisions: dict[str, ArtifactRef],
    config: DedupConfig,
    scores: dict[str, ArtifactRef] | None = None,
) -> None:
    """Decide for all sources at once; all mappings are keyed by source.

    Raises:
        ValueError: when there is no document, or a source's signatures, decisions and scores do not
            match, or its scores are not there or lack the signal that documents compete with.
    """
    from tasks.dedup.clusters import find_duplicates
    from tasks.dedup.keep import keep_order, naming_order

    needed = (scores or {}) if config.keep_score else None
    files = signed_files(build, signatures, decisions, needed)
    if not sum(file.signatures.rows for file in files):
        raise ValueError(f"{build.label} reads no signature of {', '.join(sorted(signatures))}")
    shown = ", ".join(f"{found:.2%} at {at}" for at, found in curve(config).items())
    build.log(f"{config.num_bands} bands of {config.num_rows} rows find pairs: {shown}")
    earlier = find_earlier(build, files)
    rows = rows_to_decide(build, files, earlier, config)
    documents, entries = read_signed(build, files, rows, config.keep_signal)
    verdicts = find_duplicates(
        entries,
        _codes(documents["exact_hash"]),
        documents["num_words"].to_numpy() >= config.signature.shingle_words,
        keep_order(documents, config.keep, config.preferred_sources),
        num_bands=config.num_bands,
        num_rows=config.num_rows,
        min_similarity=config.min_similarity,
        cluster_similarity=config.cluster_similarity,
        max_compared=config.max_compared,
    )
    del entries
    by_name = naming_order(documents)
    decided = decision_table(documents, verdicts, by_name)
    notes = note_table(documents, verdicts, by_name)
    figures = write_answers(build, files, earlier, rows, decided, notes)
    clusters = cluster_table(documents, decided)
    if earlier is not None:
        clusters = pa.concat_tables([clusters, _other_clusters(build, earlier, documents["id"])])
    build.add_table(CLUSTERS_NAME, clusters.sort_by(CLUSTER_ORDER), CLUSTER_SCHEMA)
    build.add_table(INPUTS_NAME, input_table(files), INPUT_SCHEMA)
    _count(build, figures, clusters, config)


def decision_table(documents: pa.Table, verdicts: "Verdicts", by_name: Indices) -> pa.Table:
    """Return the columns of DUPLICATE_SCHEMA for the documents that were signed, in their order.

    `by_name` are their rows in the order of `naming_order`, here and below.
    """
    ids = documents["id"].combine_chunks()
    kept = verdicts.duplicate_of < 0
    reason = np.where(kept, 0, np.where(verdicts.is_exact, 1, 2)).astype(np.int8)
    return pa.table(
        {
            "id": ids,
            "kept": kept,
            "reason": pa.DictionaryArray.from_arrays(reason, ["", *REASONS]),
            "duplicate_of": pc.fill_null(ids.take(pa.array(verdicts.duplicate_of, mask=kept)), ""),
            "similarity": verdicts.similarity,
            "cluster": ids.take(pa.array(_first_of(by_name, verdicts.component))),
        }
    )


def note_table(documents: pa.Table, verdicts: "Verdicts", by_name: Indices) -> pa.Table:
    """Return NOTE_SCHEMA for the documents that were signed, in their order."""
    ids = documents["id"].combine_chunks()
    alone = np.bincount(verdicts.neighbourhood)[verdicts.neighbourhood] == 1
    first = pa.array(_first_of(by_name, verdicts.neighbourhood), mask=alone)
    columns = [pc.fill_null(ids.take(first), ""), *verdicts.work.T]
    return pa.table(columns, NOTE_SCHEMA.names).cast(NOTE_SCHEMA)


def cluster_table(documents: pa.Table, decided: pa.Table) -> pa.Table:
    """Return CLUSTER_SCHEMA: the members of clusters of two or more."""
    codes = decided["cluster"].combine_chunks().dictionary_encode().indices.to_numpy()
    shared = pa.array(np.bincount(codes)[codes] > 1) if len(codes) else pa.array([], pa.bool_())
    table = decided.append_column("source", documents["source"])
    table = table.append_column("url", documents["url"]).filter(shared)
    return table.select(CLUSTER_SCHEMA.names).cast(CLUSTER_SCHEMA)


def _other_clusters(build: Build, earlier: Earlier, decided: pa.ChunkedArray) -> pa.Table:
    """The clusters of an earlier run without a document that was decided on now, or is gone."""
    gone = [earlier.signed_answer(build, path).decisions["id"] for path in earlier.gone]
    ids = [column.cast(pa.large_string()) for column in (decided, *gone)]
    chunks = [chunk for column in ids for chunk in column.chunks]
    changed = pa.chunked_array(chunks, pa.large_string())
    clusters = earlier.read(build, CLUSTERS_NAME)
    known = clusters["id"].cast(pa.large_string())
    return clusters.filter(pc.invert(pc.is_in(known, changed)))


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Numbers that are equal where values are."""
    return np.asarray(column.combine_chunks().dictionary_encode().indices, dtype=np.int64)


def _first_of(
    order: npt.NDArray[np.int64], component: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """For every row the first in `order` with the same component."""
    first = np.empty(len(order), np.int64)
    first[component[order[::-1]]] = order[::-1]  # of several assignments, the last one stays
    return first[component]


def _count(build: Build, figures: Figures, clusters: pa.Table, config: DedupConfig) -> None:
    """Tell what was decided by source, the largest clusters, and how hard it was."""
    by_source: dict[str, dict[str, int]] = {}
    for (source, reason), number in sorted(figures.items()):
        if source and number:
            by_source.setdefault(source, {"kept": 0})[reason or "kept"] = number
    for own in by_source.values():
        build.counts.read += sum(own.values())
        build.counts.kept += own["kept"]
        for reason in REASONS:
            build.counts.drop(reason, own.get(reason, 0))
    sizes = clusters.group_by("cluster").aggregate([([], "count_all")])
    by_size = [("count_all", "descending"), ("cluster", "ascending")]
    largest = sizes.sort_by(by_size).slice(0, LARGEST_CLUSTERS).to_pylist()
    build.counts.extra |= {
        "by_source": by_source,
        "clusters": sizes.num_rows,
        "largest_clusters": [
            {"cluster": row["cluster"], "documents": row["count_all"]} for row in largest
        ],
        **{name: figures["", name] for name in WORK},
        "num_bands": config.num_bands,
        "num_rows": config.num_rows,
        "found_at_similarity": curve(config),
    }


def curve(config: DedupConfig) -> dict[str, float]:
    """By similarity, the probability that a pair is found."""
    from tasks.dedup.lsh import collision_probability

    return {
        f"{at}": round(collision_probability(at, config.num_bands, config.num_rows), 4)
        for at in CURVE_AT
    }
