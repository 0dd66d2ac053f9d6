"""The scoring worker: `python -m tasks.evaluation.score job.json`, started by `evaluate_lm`."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from transformers.models.llama import LlamaForCausalLM

from pipeline_config.evaluation import LmEvaluationConfig
from storage.tokens import TokenArray, TokenShards
from tasks.evaluation import bigram
from tasks.evaluation.jobs import ScoreJob, SourceFiles
from tasks.evaluation.windows import Window, choose, cut
from tasks.lm.device import autocast, move, set_up_torch
from tasks.lm.loss import IGNORED, Batch, token_losses
from tasks.lm.model import load_model
from tasks.lm.runtime import Runtime
from tasks.lm.worker import Report, Result, work

CHUNK_TOKENS = 2_000_000  # counted at a time


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The held-out documents of one source that are scored."""

    documents: list[TokenArray]
    num_bytes: int
    available: int  # documents of the source

    @property
    def num_tokens(self) -> int:
        """Predicted tokens: all but each document's <|endoftext|>."""
        return sum(len(tokens) - 1 for tokens in self.documents)


def score(job: ScoreJob, report: Report) -> Result:
    """Bits per byte of the model and of a bigram model, per source and over all of them."""
    set_up_torch(job.runtime)
    heldout = {source.name: read_heldout(source, job.config) for source in job.sources}
    heldout = {name: found for name, found in heldout.items() if found.num_bytes}
    if not heldout:
        raise ValueError("no source has held-out documents; raise tokenization.heldout.share")
    chunks = training_chunks(job.sources, job.config.max_bigram_tokens)
    baseline = bigram.train(chunks, job.vocab_size)
    report.log(f"the bigram model saw {len(baseline.pairs):,} different pairs")
    model = move(load_model(job.model), job.runtime)
    total = sum(found.num_tokens for found in heldout.values())
    done = 0
    sources = {}
    for name, found in heldout.items():
        nats = 0.0
        for tokens, loss in model_losses(model, found.documents, job.config, job.runtime):
            nats += loss
            done += tokens
            report.progress(done, total, "tokens")
        sources[name] = {
            "model_nats": nats,
            "bigram_nats": sum(float(baseline.losses(one).sum()) for one in found.documents),
            "tokens": found.num_tokens,
            "bytes": found.num_bytes,
            "documents": len(found.documents),
            "left_out": found.available - len(found.documents),
        }
    return {"sources": sources}


def read_heldout(source: SourceFiles, config: LmEvaluationConfig) -> HeldOut:
    """Whole held-out documents in the order of their ids, which are hashes, up to the limit."""
    shards = TokenShards(source.heldout, source.dtype)
    found = sorted(
        (shards.document(row) for row in range(shards.num_documents)), key=lambda one: one.id
    )
    chosen = [found[i] for i in choose((one.length for one in found), config.max_tokens_per_source)]
    return HeldOut(
        documents=[shards.read(one.start, one.length) for one in chosen],
        num_bytes=sum(one.num_bytes for one in chosen),
        available=len(found),
    )


def training_chunks(sources: list[SourceFiles], max_tokens: int) -> Iterator[TokenArray]:
    """The training tokens of all sources; over `max_tokens`, an equal share from each start."""
    streams = [TokenShards(source.train, source.dtype) for source in sources]
    share = min(1.0, max_tokens / max(1, sum(stream.num_tokens for stream in streams)))
    for stream in streams:
        end = int(stream.num_tokens * share)
        for start in range(0, end, CHUNK_TOKENS):
            yield stream.read(start, min(CHUNK_TOKENS, end - start))


def model_losses(
    model: LlamaForCausalLM,
    documents: list[TokenArray],
    config: LmEvaluationConfig,
    runtime: Runtime,
) -> Iterator[tuple[int, float]]:
    """Scored tokens and their summed loss in nats, one forward pass at a time."""
    window_tokens = min(config.window_tokens, model.config.max_position_embeddings)
    overlap = int(config.context_share * window_tokens)
    windows = [
        (tokens, window)
        for tokens in documents
        for window in cut(len(tokens), window_tokens, overlap)
    ]
    windows.sort(key=lambda pair: pair[1].end - pair[1].start)  # stable: equal order every time
    rows = max(1, config.batch_tokens // window_tokens)
    for first in range(0, len(windows), rows):
        batch = to_batch(windows[first : first + rows]).to(runtime.device)
        with autocast(runtime):
            losses = token_losses(model, batch)
        yield batch.num_targets, float(losses.double().sum())


def to_batch(windows: list[tuple[TokenArray, Window]]) -> Batch:
    """Windows side by side, padded on the right; only tokens not scored before are targets."""
    width = max(window.end - window.start for _, window in windows)
    inputs = np.zeros((len(windows), width), dtype=np.int64)
    targets = np.full((len(windows), width), IGNORED, dtype=np.int64)
    for row, (tokens, window) in enumerate(windows):
        inputs[row, : window.end - window.start] = tokens[window.start : window.end]
        scored = tokens[window.scored_from : window.end + 1]
        first = window.scored_from - 1 - window.start
        targets[row, first : first + len(scored)] = scored
    return Batch(torch.from_numpy(inputs), torch.from_numpy(targets))


if __name__ == "__main__":
    work(score, ScoreJob)
