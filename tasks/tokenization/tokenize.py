"""Turns the kept documents of one source into token shards, held-out clusters apart.

documents, decisions, tokenizer -> train-00000.tokens, train-00000.index.parquet and heldout-… for
every shard of documents (see storage/tokens.py). Every document begins with <|endoftext|>; a
special token written out in a text is plain bytes, whatever the text says.
"""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import tiktoken

from pipeline_config.tokenization import HeldoutConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.shards import Shard, ShardOutput
from storage.tokens import (
    SPLITS,
    TOKEN_INDEX_SCHEMA,
    TokenArray,
    TokenWriter,
    index_name,
    token_dtype,
    tokens_name,
)
from tasks.tokenization.bpe import RANKS_FILE, load_encoding
from tasks.tokenization.corpus import (
    document_shards,
    held_out_clusters,
    kept_clusters,
    kept_documents,
)
from tasks.tokenization.split import HeldOut


def encode(encoding: tiktoken.Encoding, text: str) -> TokenArray:
    """The ids of one document, <|endoftext|> first.

    Raises:
        ValueError: for a million white-space characters in a row, which tiktoken cannot split.
    """
    tokens = encoding.encode_to_numpy(text, disallowed_special=())  # no text is a special token
    return np.concatenate([np.array([encoding.eot_token], dtype=np.uint32), tokens])


def tokenize_shard(inputs: list[Path], params: HeldoutConfig, out: ShardOutput) -> None:
    """Encodes one shard; `out.extra` lists its clusters that are held out beyond the share."""
    documents, decisions, ranks = inputs
    encoding = load_encoding(ranks)
    held_out = HeldOut(params, frozenset(out.extra))
    with ExitStack() as stack:
        writers = {
            split: stack.enter_context(
                TokenWriter(out.scratch / split, token_dtype(encoding.n_vocab))
            )
            for split in SPLITS
        }
        for document, text, cluster in kept_documents(documents, decisions):
            out.counts.read += 1
            try:
                tokens = encode(encoding, text)
            except ValueError:
                out.counts.drop("a million white-space characters in a row")
                continue
            writer = writers["heldout" if cluster in held_out else "train"]
            writer.add(document, tokens, num_bytes=len(text.encode()), cluster=cluster)
            out.counts.kept += 1
    for split, writer in writers.items():
        out.counts.extra[split] = {
            "documents": writer.num_documents,
            "tokens": writer.num_tokens,
            "bytes": writer.num_bytes,
        }
        if writer.num_documents:
            out.add_file(tokens_name(split, out.name), writer.path)
            out.add_table(index_name(split, out.name), writer.index(), TOKEN_INDEX_SCHEMA)


def tokenize(
    build: Build,
    documents: ArtifactRef,
    decisions: ArtifactRef,
    tokenizer: ArtifactRef,
    heldout: HeldoutConfig,
    source: str,
) -> None:
    """Writes the token shards of one source.

    Raises:
        ValueError: when no document is left to train on.
    """
    held_out = held_out_clusters(build, decisions, heldout)
    (ranks,) = build.files(tokenizer, RANKS_FILE)
    shards = []
    for shard in document_shards(build, documents, decisions, source):
        beyond_share: list[str] = []
        if held_out.filled_up:  # only what concerns this shard may enter its key
            clusters = kept_clusters(build.store.blob_path(shard.decisions))
            beyond_share = sorted(held_out.filled_up.intersection(clusters))
        inputs = (shard.documents, shard.decisions, ranks)
        shards.append(Shard(name=shard.name, inputs=inputs, extra=beyond_share))
    build.map_shards(tokenize_shard, shards, heldout)
    vocab_size = build.manifest(tokenizer).counts.extra["vocab_size"]
    build.counts.extra |= {"vocab_size": vocab_size, "dtype": token_dtype(vocab_size).str}
    if not build.counts.extra["train"]["documents"]:
        raise ValueError(f"{source} has no document to train on: {build.counts}")
