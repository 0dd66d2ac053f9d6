"""Sign: documents that quality kept -> one row of fingerprints each; the last step to read texts.

`00000.parquet` of documents and of decisions become `00000.parquet` with, in the same order and
for the kept rows only, SIGNATURE_COLUMNS and `signature`: `num_permutations` uint32, little-endian.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.dedup import SignatureConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.documents import kept_rows
from storage.shards import Shard, ShardOutput

SIGNATURE_COLUMNS = pa.schema(
    [
        ("id", pa.string()),
        ("url", pa.string()),
        ("first_seen", pa.string()),
        ("num_words", pa.int64()),  # MinHash words
        ("num_bytes", pa.int64()),  # of the text in UTF-8
        ("exact_hash", pa.binary(16)),  # of the normal form
    ]
)


def sign_documents(
    build: Build, documents: ArtifactRef, decisions: ArtifactRef, config: SignatureConfig
) -> None:
    """Fingerprint the documents that the decisions keep.

    Raises:
        ValueError: when they keep none, or decide on other documents.
    """
    pairs = zip(build.files(documents), build.files(decisions), strict=True)
    shards = [Shard(ours.name.removesuffix(".parquet"), (ours, theirs)) for ours, theirs in pairs]
    build.map_shards(sign_shard, shards, config)
    if not build.counts.kept:
        raise ValueError(f"{build.label} signs nothing: {build.counts}")


def sign_shard(inputs: list[Path], config: SignatureConfig, out: ShardOutput) -> None:
    """Fingerprint one file of documents, given it and its decisions."""
    from tasks.dedup.minhash import fingerprint_texts

    table = kept_rows(*inputs, columns=("id", "text", "url", "first_seen"))
    texts = table["text"].combine_chunks()
    prints = fingerprint_texts(texts, **config.model_dump())
    signatures = pa.py_buffer(prints.signatures.astype("<u4", copy=False).tobytes())
    width = pa.binary(4 * config.num_permutations)
    signed = pa.table(
        {
            "id": table["id"],
            "url": table["url"],
            "first_seen": table["first_seen"],
            "num_words": prints.num_words,
            "num_bytes": pc.binary_length(texts),
            "exact_hash": pa.array(prints.exact_hashes, pa.binary(16)),
            "signature": pa.Array.from_buffers(width, len(texts), [None, signatures]),
        },
    )
    out.add_table(
        f"{out.name}.parquet", signed, SIGNATURE_COLUMNS.append(pa.field("signature", width))
    )
    out.counts.read += len(texts)
    out.counts.kept += len(texts)
