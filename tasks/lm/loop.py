"""The one training loop: pretraining and fine-tuning differ only in batches and loss.

`batches(step)` is a pure function of the seed and the step, so the whole state of a run is
{weights, optimizers, random generators, step}: a run killed at any moment and started again ends in
the same weights, bit for bit on the same machine with the same threads.

The log is `training_log.jsonl` in the run directory, one line per step. It holds no times: a
resumed run ends with the same log, too.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, TypedDict

import torch
from torch import Tensor
from torch.optim import Optimizer
from transformers.models.llama import LlamaForCausalLM

from pipeline_config.training import TrainingConfig
from storage.checkpoints import (
    latest_checkpoint,
    read_training_state,
    write_checkpoint,
    write_training_state,
)
from tasks.lm.device import autocast, move
from tasks.lm.loss import Batch
from tasks.lm.optimizer import build_optimizers, set_learning_rates
from tasks.lm.place import TrainingPlace
from tasks.lm.runtime import Runtime
from tasks.lm.schedule import learning_rate_share
from tasks.lm.state import read_state, state_tensors

LOG_NAME = "training_log.jsonl"
FLUSH_SECONDS = 2.0  # reading a loss waits for the device, so it is not done every step


class Record(TypedDict):
    """One line of the training log."""

    step: int  # steps done, from 1
    loss: float  # nats per target token, before this step's update
    lr: float  # learning rate of AdamW
    tokens: int  # target tokens seen so far
    grad_norm: float  # before clipping


class DivergedError(RuntimeError):
    """The loss or the gradient became infinite or not a number."""


Batches = Callable[[int], list[Batch]]  # step -> the forward passes of one optimizer step
LossFunction = Callable[[LlamaForCausalLM, Batch], Tensor]  # -> sum over the batch's targets


def fit(
    model: LlamaForCausalLM,
    batches: Batches,
    loss_function: LossFunction,
    config: TrainingConfig,
    place: TrainingPlace,
    on_log: Callable[[Record], None],
) -> None:
    """Trains `model` in place for `config.num_steps`, from the latest checkpoint of `place`.

    Raises:
        DivergedError: the loss or gradient is not finite; names the last good checkpoint.
    """
    runtime = place.runtime
    move(model, runtime).train()
    optimizers = build_optimizers(model, config.optimizer)
    done, tokens = _resume(place.run_dir, model, optimizers)
    compute_loss = torch.compile(loss_function) if runtime.compile else loss_function
    with _open_log(place.run_dir, done, on_log) as log:
        for step in range(done, config.num_steps):
            share = learning_rate_share(step, config.num_steps, config.schedule)
            set_learning_rates(optimizers, share)
            micro_batches = batches(step)
            num_targets = sum(batch.num_targets for batch in micro_batches)
            loss = _accumulate(model, micro_batches, compute_loss, num_targets, runtime)
            grad_norm = torch.nn.utils.clip_grad_norm_(
                model.parameters(), config.optimizer.max_grad_norm
            )
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
            tokens += num_targets
            log.add(step + 1, loss, config.optimizer.learning_rate * share, tokens, grad_norm)
            if (step + 1) % place.checkpoint_every == 0 or step + 1 == config.num_steps:
                log.flush()
                _checkpoint(place.run_dir, step + 1, tokens, model, optimizers)


def _accumulate(
    model: LlamaForCausalLM,
    micro_batches: list[Batch],
    compute_loss: LossFunction,
    num_targets: int,
    runtime: Runtime,
) -> Tensor:
    """Adds the gradients of the batch's mean loss per target; returns that loss, detached."""
    total = torch.zeros((), device=runtime.device)
    for batch in micro_batches:
        with autocast(runtime):
            loss = compute_loss(model, batch.to(runtime.device)) / num_targets
        torch.autograd.backward(loss)
        total += loss.detach()
    return total


class _Log:
    """Collects the figures of each step on the device, and reads and writes them now and then."""

    def __init__(self, file: TextIO, run_dir: Path, on_log: Callable[[Record], None]) -> None:
        self._file = file
        self._run_dir = run_dir
        self._on_log = on_log
        self._waiting: list[tuple[int, Tensor, float, int, Tensor]] = []
        self._flushed_at = time.monotonic()

    def add(self, step: int, loss: Tensor, rate: float, tokens: int, grad_norm: Tensor) -> None:
        self._waiting.append((step, loss, rate, tokens, grad_norm))
        if time.monotonic() - self._flushed_at > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Writes what waits; before a checkpoint this also proves that all of it is finite."""
        for step, loss, rate, tokens, grad_norm in self._waiting:
            record = Record(
                step=step,
                loss=loss.item(),
                lr=rate,
                tokens=tokens,
                grad_norm=grad_norm.item(),
            )
            if not (math.isfinite(record["loss"]) and math.isfinite(record["grad_norm"])):
                raise DivergedError(_describe_divergence(record, self._run_dir))
            self._file.write(json.dumps(record) + "\n")
            self._on_log(record)
        self._waiting.clear()
        self._file.flush()
        self._flushed_at = time.monotonic()


def _describe_divergence(record: Record, run_dir: Path) -> str:
    good = latest_checkpoint(run_dir)
    return (
        f"training diverged at step {record['step']}: loss {record['loss']}, gradient norm "
        f"{record['grad_norm']}; last good checkpoint: {good.name if good else 'none'}; lower "
        "optimizer.learning_rate or raise schedule.warmup_steps"
    )


@contextmanager
def _open_log(run_dir: Path, done: int, on_log: Callable[[Record], None]) -> Iterator[_Log]:
    """The log, cut back to the steps that the resumed checkpoint has done."""
    run_dir.mkdir(parents=True, exist_ok=True)
    path = run_dir / LOG_NAME
    kept = path.read_text().splitlines(keepends=True)[:done] if path.exists() else []
    path.write_text("".join(kept))
    with path.open("a") as file:
        yield _Log(file, run_dir, on_log)


def _checkpoint(
    run_dir: Path, step: int, tokens: int, model: LlamaForCausalLM, optimizers: list[Optimizer]
) -> None:
    def fill(directory: Path) -> None:
        model.save_pretrained(directory)
        numbers = {"step": step, "tokens": tokens}
        write_training_state(directory, state_tensors(optimizers), numbers)

    write_checkpoint(run_dir, step, fill)


def _resume(run_dir: Path, model: LlamaForCausalLM, optimizers: list[Optimizer]) -> tuple[int, int]:
    """Loads the latest checkpoint into the model and optimizers; returns steps and tokens done."""
    checkpoint = latest_checkpoint(run_dir)
    if checkpoint is None:
        return 0, 0
    tensors, numbers = read_training_state(checkpoint)
    read_state(checkpoint, tensors, model, optimizers)
    return numbers["step"], numbers["tokens"]
