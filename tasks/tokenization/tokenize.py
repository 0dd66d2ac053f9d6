"""Turns the documents of one source into token shards, held-out clusters apart.

corpus, tokenizer -> train-00000.tokens, train-00000.index.parquet and heldout-… for every file of
the source (see storage/tokens.py). Every document begins with <|endoftext|>; a
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
from tasks.tokenization.corpus import clusters_of, corpus_files, documents_of, held_out_clusters
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
    documents, ranks = inputs
    encoding = load_encoding(ranks)
    held_out = HeldOut(params, frozenset(out.extra))
    with ExitStack() as stack:
        writers = {
            split: stack.enter_context(
                TokenWriter(out.scratch / split, token_dtype(encoding.n_vocab))
            )
            for split in SPLITS
        }
        for document, text, cluster in documents_of(documents):
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
    corpus: ArtifactRef,
    tokenizer: ArtifactRef,
    heldout: HeldoutConfig,
    source: str,
) -> None:
    """Writes the token shards of one source.

    Raises:
        ValueError: when the corpus has no such source, or no document of it is left to train on.
    """
    files = corpus_files(build, corpus)
    if source not in files:
        raise ValueError(f"the corpus has no source {source!r}; it has {', '.join(sorted(files))}")
    held_out = held_out_clusters(build, corpus, heldout)
    (ranks,) = build.files(tokenizer, RANKS_FILE)
    shards = []
    for entry in files[source]:
        beyond_share: list[str] = []
        if held_out.filled_up:  # only what concerns this shard may enter its key
            clusters = clusters_of(build.store.blob_path(entry))
            beyond_share = sorted(held_out.filled_up.intersection(clusters))
        name = entry.name.removeprefix(f"{source}/").removesuffix(".parquet")
        shards.append(Shard(name=name, inputs=(entry, ranks), extra=beyond_share))
    build.map_shards(tokenize_shard, shards, heldout)
    vocab_size = build.manifest(tokenizer).counts.extra["vocab_size"]
    build.counts.extra |= {"vocab_size": vocab_size, "dtype": token_dtype(vocab_size).str}
    if not build.counts.extra["train"]["documents"]:
        raise ValueError(f"{source} has no document to train on: {build.counts}")
