"""Decontaminate: the documents that are kept and the items -> a decision on every document.

Reads the texts as all edits left them. `00000.parquet` … are row-aligned with the documents:
DECISION_SCHEMA; rows dropped before are carried along (reason "quality", "dedup" or "substring")
and not counted. `hits/00000.parquet` … say which item stands where (HIT_SCHEMA), also where
`min_share` forgives it, and `report.json` how many documents each set and item was found in.
"""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.decontamination import MatchConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.documents import DECISION_SCHEMA, kept_rows
from storage.shards import Shard, ShardOutput
from storage.tables import read_table

if TYPE_CHECKING:
    from tasks.decontamination.item_index import Hit, ItemIndex

HIT_SCHEMA = pa.schema(
    [
        ("id", pa.string()),  # of the document
        ("url", pa.string()),
        ("dropped", pa.bool_()),
        ("set", pa.string()),
        ("number", pa.int64()),
        ("column", pa.string()),
        ("kind", pa.string()),  # "ngram" or "whole"
        ("ngrams", pa.int64()),  # different ones of the item that were found
        ("share", pa.float32()),  # of the item's
        ("excerpt", pa.string()),  # of the document: the first run of words that was found
    ]
)
HITS_PER_DOCUMENT = 20  # listed, those with the largest share; all are counted
EXCERPT_CHARACTERS = 300
LISTED_ITEMS = 100
# Reasons that the step before carries along; what else it drops, it dropped itself.
EARLIER = {"dedup": ("quality",), "substring": ("quality", "dedup")}


def decontaminate(
    build: Build,
    documents: ArtifactRef,
    edited: ArtifactRef,
    deduped: ArtifactRef,
    substring: ArtifactRef | None,
    items: ArtifactRef,
    config: MatchConfig,
    source: str,
) -> None:
    """Decide on the documents of one source.

    Raises:
        ValueError: when no document was left, or every one is contaminated.
    """
    [item_file] = build.files(items)
    last = "dedup" if substring is None else "substring"
    layers = [deduped] if substring is None else [deduped, substring]
    named = [{entry.name: entry for entry in build.files(layer)} for layer in layers]
    edits = {entry.name: entry for entry in build.files(edited)}
    shards = []
    decided = []
    for entry in build.files(documents):
        theirs = (edits[entry.name], *(files[f"{source}/{entry.name}"] for files in named))
        shards.append(Shard(entry.name.removesuffix(".parquet"), (item_file, entry, *theirs), last))
        decided.append(theirs)
    build.map_shards(decontaminate_shard, shards, config)
    add_report(build, build.path(items, item_file.name), config)
    if not build.counts.read:
        by_step = dropped_by_step(
            [build.store.blob_path(each) for each in theirs] for theirs in decided
        )
        listed = ", ".join(f"{step} {number:,}" for step, number in by_step.most_common())
        raise ValueError(
            f"{build.label} reads nothing: all {documents.rows:,} documents were dropped before "
            f"({listed}); look at what {max(by_step, key=by_step.__getitem__)} drops, or leave "
            f"{source!r} out of crawl.sources"
        )
    if not build.counts.kept:
        raise ValueError(f"{build.label} keeps nothing: {build.counts}")


def dropped_by_step(decided: Iterable[list[Path]]) -> Counter[str]:
    """How many documents each step dropped; of every file, the decisions of edit, dedup, … ."""
    found: Counter[str] = Counter()
    for paths in decided:
        left = None
        for step, path in zip(("edit", "dedup", "substring"), paths, strict=False):
            table = read_table(path, ["kept", "reason"])
            kept = np.asarray(table["kept"], dtype=bool)
            gone = ~kept if left is None else left & ~kept
            by_quality = np.asarray(pc.equal(table["reason"], "quality"), dtype=bool) & gone
            found["decide"] += int(by_quality.sum())
            found[step] += int(gone.sum() - by_quality.sum())
            left = kept
    return +found


# ---- one file


@lru_cache(maxsize=1)
def load_index(items: Path, config: MatchConfig) -> "ItemIndex":
    """The index of an items table, once per worker; blobs are named by their content."""
    from tasks.decontamination.item_index import ItemIndex

    table = read_table(items)
    texts = pc.if_else(is_sought(table, config), table["text"], "").to_pylist()
    return ItemIndex(texts, ngram_words=config.ngram_words, min_words=config.min_words)


def is_sought(items: pa.Table, config: MatchConfig) -> pa.ChunkedArray:
    """Which items are of a set that the documents are compared with."""
    chosen = items["set"].unique() if config.sets is None else pa.array(config.sets, pa.string())
    return pc.is_in(items["set"], chosen)


def decontaminate_shard(inputs: list[Path], config: MatchConfig, out: ShardOutput) -> None:
    """Decide on one file of documents, given the items, it, its edits and its decisions."""
    item_path, document_path, *decisions = inputs
    items = read_table(item_path)
    names = items["set"].to_pylist()
    index = load_index(item_path, config)
    texts = kept_rows(document_path, *decisions, columns=("id", "url", "text"))
    contaminated = np.zeros(len(texts), dtype=bool)
    by_item: Counter[str] = Counter()
    by_set: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    for number, document in enumerate(texts.to_pylist()):
        hits = index.find(document["text"])
        enough = [hit for hit in hits if hit.share >= config.min_share]
        contaminated[number] = bool(enough)
        by_item.update(str(hit.item) for hit in enough)
        by_set.update({names[hit.item] for hit in enough})
        hits.sort(key=lambda hit: (-hit.share, -hit.runs, hit.item))
        rows += [
            hit_row(document, items.slice(hit.item, 1).to_pylist()[0], hit, bool(enough))
            for hit in hits[:HITS_PER_DOCUMENT]
        ]
    before = read_table(decisions[-1], ["id", "kept", "reason"])
    decided = decision_table(before, contaminated, last=out.extra)
    out.add_table(f"{out.name}.parquet", decided, DECISION_SCHEMA)
    out.add_table(f"hits/{out.name}.parquet", pa.Table.from_pylist(rows, HIT_SCHEMA), HIT_SCHEMA)
    out.counts.read += len(texts)
    out.counts.kept += len(texts) - int(contaminated.sum())
    out.counts.drop("contaminated", int(contaminated.sum()))
    out.counts.extra |= {"documents_by_item": dict(by_item), "documents_by_set": dict(by_set)}


def hit_row(
    document: dict[str, Any], item: dict[str, Any], hit: "Hit", dropped: bool
) -> dict[str, Any]:
    """HIT_SCHEMA for one item in one document."""
    from tasks.decontamination.words import composed

    end = min(hit.end, hit.start + EXCERPT_CHARACTERS)
    return {
        "id": document["id"],
        "url": document["url"],
        "dropped": dropped,
        "set": item["set"],
        "number": item["number"],
        "column": item["column"],
        "kind": "whole" if hit.is_whole else "ngram",
        "ngrams": hit.runs,
        "share": hit.share,
        "excerpt": composed(document["text"])[hit.start : end],
    }


def decision_table(before: pa.Table, contaminated: npt.NDArray[np.bool_], last: str) -> pa.Table:
    """DECISION_SCHEMA; of the rows that were kept before, `contaminated` says which go.

    `last` is the step that decided before.
    """
    was_kept = np.asarray(before["kept"], dtype=bool)
    kept = was_kept.copy()
    kept[was_kept] = ~contaminated
    earlier = EARLIER[last]
    carried = [reason if reason in earlier else last for reason in before["reason"].to_pylist()]
    reason = np.where(was_kept, np.where(kept, "", "contaminated"), np.array(carried, "O"))
    return pa.table(
        {
            "id": before["id"],
            "kept": kept,
            "reason": pa.array(reason, pa.string()),
            "duplicate_of": pa.repeat("", len(kept)),
            "similarity": pa.repeat(pa.scalar(0.0, pa.float32()), len(kept)),
        },
        schema=DECISION_SCHEMA,
    )


# ---- the report


def add_report(build: Build, item_path: Path, config: MatchConfig) -> None:
    """Add `report.json`: what was looked for, and what was hit; the counts keep it by set."""
    items = read_table(item_path)
    lengths = load_index(item_path, config).lengths
    sought = np.asarray(is_sought(items, config), dtype=bool)
    extra = build.counts.extra
    by_item: dict[str, int] = extra.pop("documents_by_item", {})
    by_set: dict[str, int] = extra.pop("documents_by_set", {})
    names = items["set"].to_pylist()
    sets: dict[str, dict[str, int]] = {
        name: dict.fromkeys(("items", "by_ngram", "whole", "too_short", "items_hit"), 0)
        | {"documents": by_set.get(name, 0)}
        for name in sorted(set(names))
    }
    for number, (name, length) in enumerate(zip(names, lengths.tolist(), strict=True)):
        kind = "by_ngram" if length == config.ngram_words else "whole" if length else "too_short"
        sets[name]["items"] += 1
        sets[name][kind] += bool(sought[number])
        sets[name]["items_hit"] += str(number) in by_item
    ranked = sorted((-documents, int(item)) for item, documents in by_item.items())
    listed = [
        _shown(items.slice(item, 1)) | {"documents": -documents}
        for documents, item in ranked[:LISTED_ITEMS]
    ]
    unsought = [_shown(items.slice(item, 1)) for item in np.flatnonzero(sought & (lengths == 0))]
    build.add_json(
        "report.json", {"sets": sets, "items": listed, "too_short": unsought[:LISTED_ITEMS]}
    )
    extra["sets"] = sets


def _shown(item: pa.Table) -> dict[str, Any]:
    """The one row of a table, with its text cut to an excerpt."""
    row: dict[str, Any] = item.to_pylist()[0]
    return row | {"text": row["text"][:EXCERPT_CHARACTERS]}
