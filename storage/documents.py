"""Documents, and what steps say about them: scores, decisions, edits; all keyed by document id.

Every file of documents has sibling files with the same rows in the same order, so that joining is
a comparison of ids, never a search.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from storage.tables import read_table

DOCUMENT_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("url", pa.string()),
        ("source", pa.string()),
        ("first_seen", pa.string()),  # ISO date of the first capture, "" when unknown
        ("language", pa.string()),  # as the page declares it, "" when it does not
        ("warc_file", pa.string()),  # file of the first capture inside its artifact, or ""
        ("warc_offset", pa.int64()),  # byte offset of its record, or -1
        ("licence", pa.string()),
        ("metadata", pa.string()),  # a JSON object
    ]
)

# What later stages read: kept documents, edited, with the name of their duplicate cluster.
CORPUS_SCHEMA = DOCUMENT_SCHEMA.append(pa.field("cluster", pa.string()))

DECISION_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("kept", pa.bool_()),
        ("reason", pa.string()),  # "" when kept
        ("duplicate_of", pa.string()),  # id of the kept document, "" when not a duplicate
        ("similarity", pa.float32()),  # Jaccard similarity to it, 0 when not a duplicate
    ]
)

EDIT = pa.struct(
    [
        ("start", pa.int64()),  # characters
        ("end", pa.int64()),
        ("replacement", pa.string()),
        ("reason", pa.string()),
    ]
)
EDITED_SCHEMA = DECISION_SCHEMA.append(pa.field("edits", pa.list_(EDIT)))


def document_id(source: str, url: str, text: str) -> str:
    """The name of one text at one place, 32 hex digits.

    An unchanged page keeps it over crawls, shards and machines.
    """
    parts = [part.encode("utf-8", errors="surrogatepass") for part in (source, url, text)]
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))  # so that ("ab", "c") is not ("a", "bc")
        digest.update(part)
    return digest.hexdigest()


def kept_rows(documents: Path, *decisions: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """The documents that every decision file keeps, in order, with their texts edited.

    Where a decision file holds edits (EDITED_SCHEMA), they are applied to the text that the files
    before it left: edits come in layers, and `decisions` in the order they were made. `columns` are
    the documents' or, such as dedup's `cluster`, those of a decision file; None: the documents'.

    Raises:
        ValueError: when a decision file is not row-aligned with the documents, or nobody has a
            column.
    """
    there = pq.read_schema(documents).names
    wanted = there if columns is None else list(columns)
    table = read_table(documents, [name for name in there if name in {"id", *wanted}])
    mask = np.ones(table.num_rows, dtype=bool)
    layers = []
    for path in decisions:
        decision = read_table(path)
        if decision.column("id").combine_chunks() != table.column("id").combine_chunks():
            raise ValueError(f"{path.name} decides on other documents than {documents.name} holds")
        mask &= decision.column("kept").to_numpy()
        if "edits" in decision.column_names and "text" in wanted:
            layers.append(decision.column("edits"))
        for name in set(wanted).intersection(decision.column_names).difference(table.column_names):
            table = table.append_column(name, decision.column(name))
    if missing := [name for name in wanted if name not in table.column_names]:
        raise ValueError(f"neither {documents.name} nor a decision has a column {missing[0]!r}")
    kept = table.filter(pa.array(mask))
    for edits in layers:
        texts = edited_texts(kept.column("text"), edits.filter(pa.array(mask)))
        kept = kept.set_column(kept.column_names.index("text"), "text", texts)
    return kept.select(wanted)


def edited_texts(texts: pa.ChunkedArray, edits: pa.ChunkedArray) -> pa.Array:
    """Every text with its list of EDIT applied; rows without any cost nothing."""
    texts, edits = texts.combine_chunks(), edits.combine_chunks()
    changes = pc.fill_null(pc.greater(pc.list_value_length(edits), 0), False)
    rows = zip(texts.filter(changes).to_pylist(), edits.filter(changes).to_pylist(), strict=True)
    changed = [
        apply_edits(text, [(edit["start"], edit["end"], edit["replacement"]) for edit in spans])
        for text, spans in rows
    ]
    return pc.replace_with_mask(texts, changes, pa.array(changed, texts.type))


def is_held_out(cluster: str, seed: int, share: float) -> bool:
    """Whether the documents of a duplicate cluster belong to the held-out split.

    The choice hangs on the cluster's name alone, so near-duplicates never straddle the split. A
    corpus that grows by documents seen later moves nothing, but where one of them joins two
    clusters (the later one takes the other's name), or takes the place of a kept one whose cluster
    only that one held together (it may part).
    """
    digest = hashlib.blake2b(f"held-out:{seed}:{cluster}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") < share * 2**64


def apply_edits(text: str, edits: Sequence[tuple[int, int, str]]) -> str:
    """`text` with each span (start, end, replacement) replaced; spans must not overlap.

    >>> apply_edits("mail me@x.org now", [(5, 13, "<email>")])
    'mail <email> now'
    """
    pieces, position = [], 0
    for start, end, replacement in sorted(edits):
        if not position <= start <= end <= len(text):
            raise ValueError(f"edit {start}:{end} overlaps another or leaves the text")
        pieces += [text[position:start], replacement]
        position = end
    return "".join([*pieces, text[position:]])


def count_reasons(decisions: pa.Table) -> dict[str, int]:
    """How many rows a decision table drops for each reason."""
    dropped = decisions.filter(pc.invert(decisions.column("kept")))
    return {
        row["values"]: row["counts"]
        for row in pc.value_counts(dropped.column("reason")).to_pylist()
    }
