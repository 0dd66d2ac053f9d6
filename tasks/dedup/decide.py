"""Dedup: the fingerprints of all sources -> a decision on every document, and the clusters.

Reads signatures and quality's decisions, no text. `<source>/00000.parquet` is row-aligned with the
documents: DECISION_SCHEMA and `cluster`, the id of its document that was seen first (of those of a
day the smallest), which stays what it is when later documents join. Only where one joins two
clusters, the later of them takes the other's name. Documents that quality dropped are carried along
(reason "quality", a cluster of their own) and not counted. `clusters.parquet` lists the members of
clusters of two or more: who was removed for whom, at what similarity.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.dedup import DedupConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.documents import DECISION_SCHEMA
from storage.tables import read_table

if TYPE_CHECKING:
    from tasks.dedup.clusters import Verdicts

DUPLICATE_SCHEMA = DECISION_SCHEMA.append(pa.field("cluster", pa.string()))
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
        ValueError: when there is no document, a source's signatures and decisions do not match, or
            its scores lack the signal that documents compete with.
    """
    from tasks.dedup.clusters import find_duplicates
    from tasks.dedup.keep import keep_order
    from tasks.dedup.signed import read_scores, read_signatures

    documents, entries = read_signatures(build, signatures)
    if not documents.num_rows:
        raise ValueError(f"{build.label} reads no signature of {', '.join(sorted(signatures))}")
    if config.keep_score:
        signal = "score" if config.keep_classifier else config.keep_score
        competing = read_scores(build, scores or {}, decisions, signal)
        documents = documents.append_column("score", competing)
    shown = ", ".join(f"{found:.2%} at {at}" for at, found in curve(config).items())
    build.log(f"{config.num_bands} bands of {config.num_rows} rows find pairs: {shown}")
    verdicts = find_duplicates(
        entries,
        _codes(documents["exact_hash"]),
        documents["num_words"].to_numpy() >= config.signature.shingle_words,
        keep_order(documents, config.keep, config.preferred_sources),
        num_bands=config.num_bands,
        num_rows=config.num_rows,
        min_similarity=config.min_similarity,
        max_compared=config.max_compared,
    )
    decided = decision_table(documents, verdicts)
    for name, table in align_with_documents(build, decisions, documents, decided):
        build.add_table(name, table, DUPLICATE_SCHEMA)
    clusters = cluster_table(documents, decided)
    build.add_table("clusters.parquet", clusters, CLUSTER_SCHEMA)
    _count(build, documents["source"], decided, clusters, verdicts, config)


def decision_table(documents: pa.Table, verdicts: "Verdicts") -> pa.Table:
    """Return the columns of DUPLICATE_SCHEMA for the documents that were signed, in their order."""
    from tasks.dedup.keep import naming_order

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
            "cluster": ids.take(pa.array(_first_of(naming_order(documents), verdicts.component))),
        }
    )


def align_with_documents(
    build: Build, decisions: dict[str, ArtifactRef], signed: pa.Table, decided: pa.Table
) -> Iterator[tuple[str, pa.Table]]:
    """Yield a file per file of quality's decisions, with the rows that it dropped between ours."""
    number_of = value_counts(signed["source"])
    before = 0
    for source in sorted(decisions):
        ours = decided.slice(before, number_of.get(source, 0))
        before += ours.num_rows
        start = 0
        for entry, path in zip(
            build.files(decisions[source]), build.paths(decisions[source]), strict=True
        ):
            quality = read_table(path, ["id", "kept"])
            passed = np.asarray(quality["kept"], dtype=bool)
            own = ours.slice(start, int(passed.sum())).cast(DUPLICATE_SCHEMA)
            start += int(passed.sum())
            if quality["id"].filter(quality["kept"]) != own["id"]:
                raise ValueError(f"{source}/{entry.name}: signatures and decisions do not match")
            yield f"{source}/{entry.name}", _insert_dropped(quality["id"], passed, own)
        if start != ours.num_rows:
            raise ValueError(f"{source}: {ours.num_rows} are signed, the decisions keep {start}")


def cluster_table(documents: pa.Table, decided: pa.Table) -> pa.Table:
    """Return CLUSTER_SCHEMA: clusters in order of their ids, in each the kept documents first."""
    codes = decided["cluster"].combine_chunks().dictionary_encode().indices.to_numpy()
    shared = pa.array(np.bincount(codes)[codes] > 1) if len(codes) else pa.array([], pa.bool_())
    table = decided.append_column("source", documents["source"])
    table = table.append_column("url", documents["url"]).filter(shared)
    order = [("cluster", "ascending"), ("kept", "descending"), ("id", "ascending")]
    return table.sort_by(order).select(CLUSTER_SCHEMA.names).cast(CLUSTER_SCHEMA)


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


def value_counts(column: pa.ChunkedArray) -> dict[str, int]:
    """How often each value of a column of few comes."""
    return {row["values"]: row["counts"] for row in pc.value_counts(column).to_pylist()}


def _insert_dropped(ids: pa.ChunkedArray, passed: npt.NDArray[np.bool_], own: pa.Table) -> pa.Table:
    """Put `own` at the rows that passed; the others were dropped by quality."""
    where = pa.array(np.cumsum(passed) - 1, mask=~passed)
    taken = own.select(["reason", "duplicate_of", "similarity", "cluster"]).take(where)
    return pa.table(
        {
            "id": ids,
            "kept": pc.fill_null(own["kept"].take(where), False),
            "reason": pc.fill_null(taken["reason"], "quality"),
            "duplicate_of": pc.fill_null(taken["duplicate_of"], ""),
            "similarity": pc.fill_null(taken["similarity"], 0.0),
            "cluster": pc.coalesce(taken["cluster"], ids),
        },
        schema=DUPLICATE_SCHEMA,
    )


def _count(
    build: Build,
    sources: pa.ChunkedArray,
    decided: pa.Table,
    clusters: pa.Table,
    verdicts: "Verdicts",
    config: DedupConfig,
) -> None:
    """Tell what was decided by source, the largest clusters, and how hard it was."""
    build.counts.read = decided.num_rows
    told = pa.table({"source": sources, "reason": decided["reason"]}).group_by(["source", "reason"])
    by_source: dict[str, dict[str, int]] = {}
    for row in told.aggregate([([], "count_all")]).to_pylist():
        own = by_source.setdefault(row["source"], {"kept": 0})
        own[row["reason"] or "kept"] = row["count_all"]
    for own in by_source.values():
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
        "pairs_compared": verdicts.pairs_compared,
        "pairs_verified": verdicts.pairs_verified,
        "times_bucket_full": verdicts.times_bucket_full,
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
