"""Trains the tokenizer on a sample of the training documents of all sources.

corpus -> tokenizer.json, tokenizer_config.json, chat_template.jinja (a Hugging Face
tokenizer directory) and tokenizer.tiktoken (the same merges as tiktoken reads them).

The documents are read twice, once for their sizes and once for the chosen texts, so that memory
holds 16 bytes a document and never the sample. Held-out documents teach the tokenizer nothing:
bits per byte on them stay honest.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from pipeline_config.tokenization import HeldoutConfig, TokenizerConfig
from storage.artifact import ArtifactRef, Counts
from storage.build import Build
from tasks.tokenization.bpe import (
    RANKS_FILE,
    chat_template,
    mergeable_ranks,
    tokenizer_files,
    train_bpe,
    write_ranks,
)
from tasks.tokenization.corpus import corpus_files, documents_of, held_out_clusters
from tasks.tokenization.sample import Int64Array, cut, place, quotas, taken_bytes
from tasks.tokenization.split import HeldOut


class TrainingDocuments:
    """The (id, text) of the training documents of one source; each loop reads the files anew."""

    def __init__(self, files: list[Path], held_out: HeldOut) -> None:
        """`files` are the source's files of the corpus."""
        self.files = files
        self.held_out = held_out

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Every document, always in the same order."""
        for path in self.files:
            for document, text, cluster in documents_of(path):
                if cluster not in self.held_out:
                    yield document, text


def choose_sample(
    sources: Mapping[str, TrainingDocuments], sample_bytes: int, seed: int
) -> dict[str, Int64Array]:
    """How many bytes of each document of each source to learn from; (documents,) each."""
    places = {source: array("Q") for source in sources}
    sizes = {source: array("q") for source in sources}
    for source, documents in sources.items():
        for document, text in documents:
            places[source].append(place(document, seed))
            sizes[source].append(len(text.encode()))
    quota = quotas({source: sum(sizes[source]) for source in sources}, sample_bytes)
    return {source: taken_bytes(places[source], sizes[source], quota[source]) for source in sources}


def sampled_texts(
    sources: Mapping[str, TrainingDocuments],
    taken: Mapping[str, Int64Array],
    on_progress: Callable[[int, int], None],
) -> Iterator[str]:
    """The chosen texts; `on_progress` hears of the bytes read so far and of all."""
    done, total = 0, sum(int(each.sum()) for each in taken.values())
    for source, documents in sources.items():
        for (_, text), num_bytes in zip(documents, taken[source].tolist(), strict=True):
            if num_bytes:
                yield cut(text, num_bytes)
                done += num_bytes
                on_progress(done, total)


def count_sample(counts: Counts, taken: Mapping[str, Int64Array]) -> None:
    """Counts the documents of the sample, and the bytes of each source in it."""
    counts.read = sum(len(each) for each in taken.values())
    counts.kept = sum(int(np.count_nonzero(each)) for each in taken.values())
    counts.drop("not in the sample", counts.read - counts.kept)
    counts.extra["sample_bytes"] = {source: int(each.sum()) for source, each in taken.items()}


def train_tokenizer(
    build: Build,
    corpus: ArtifactRef,
    config: TokenizerConfig,
    heldout: HeldoutConfig,
) -> None:
    """Writes the tokenizer of all sources.

    Raises:
        ValueError: when no document is left to learn from.
    """
    held_out = held_out_clusters(build, corpus, heldout)
    sources = {
        source: TrainingDocuments([build.store.blob_path(entry) for entry in entries], held_out)
        for source, entries in sorted(corpus_files(build, corpus).items())
    }
    taken = choose_sample(sources, config.sample_bytes, config.seed)
    count_sample(build.counts, taken)
    if not build.counts.kept:
        raise ValueError(f"the tokenizer has no document to learn from: {build.counts}")
    texts = sampled_texts(sources, taken, lambda done, all_: build.progress(done, all_, "bytes"))
    tokenizer = train_bpe(texts, config.vocab_size)
    vocab_size = tokenizer.get_vocab_size()
    if vocab_size < config.vocab_size:
        build.log(f"the sample has pairs for {vocab_size:,} of {config.vocab_size:,} ids only")
    build.counts.extra["vocab_size"] = vocab_size
    for name, value in tokenizer_files(tokenizer):
        build.add_json(name, value)
    template = build.scratch / "chat_template.jinja"
    template.write_text(chat_template())
    build.add_file(template.name, template)
    ranks = build.scratch / RANKS_FILE
    write_ranks(ranks, mergeable_ranks(tokenizer))
    build.add_file(ranks.name, ranks)
