"""What every training worker does around the loop: set up, tell, save the model directory."""

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.models.llama import LlamaForCausalLM

from pipeline_config.training import TrainingConfig
from storage.checkpoints import latest_checkpoint
from tasks.lm.loop import LOG_NAME, Batches, LossFunction, Record, fit
from tasks.lm.loss import IGNORED, Batch
from tasks.lm.model import num_parameters
from tasks.lm.place import TrainingPlace
from tasks.lm.worker import Report, Result

LAST_STEPS = 20  # the final loss of a run is the mean over so many


def train_and_save(
    model: LlamaForCausalLM,
    batches: Batches,
    loss_function: LossFunction,
    config: TrainingConfig,
    place: TrainingPlace,
    tokenizer_files: Sequence[Path],
    report: Report,
) -> Result:
    """Trains `model`; leaves it in `place.output` with its tokenizer and log; returns figures."""
    resumed = latest_checkpoint(place.run_dir)
    size = f"{num_parameters(model):,} parameters"
    report.log(f"{size}, from {resumed.name}" if resumed else size)
    fit(model, batches, loss_function, config, place, Meter(config.num_steps, report))
    model.save_pretrained(place.output)
    for path in tokenizer_files:
        shutil.copyfile(path, place.output / path.name)
    log = shutil.copyfile(place.run_dir / LOG_NAME, place.output / LOG_NAME)
    records: list[Record] = [json.loads(line) for line in log.read_text().splitlines()]
    return {
        "num_parameters": num_parameters(model),
        "target_tokens": records[-1]["tokens"],
        "first_loss": round(records[0]["loss"], 4),
        "final_loss": round(fmean(record["loss"] for record in records[-LAST_STEPS:]), 4),
    }


class Meter:
    """Reports each logged step, with the speed since the first one of this process."""

    def __init__(self, num_steps: int, report: Report) -> None:
        """`num_steps` is the length of the whole run."""
        self._num_steps = num_steps
        self._report = report
        self._start: tuple[float, int] | None = None

    def __call__(self, record: Record) -> None:
        """One more step is done."""
        now = time.monotonic()
        if self._start is None:
            self._start = now, record["tokens"]
        seconds, tokens = now - self._start[0], record["tokens"] - self._start[1]
        figures = {"loss": round(record["loss"], 3)}
        if seconds > 1.0:
            figures["tokens_per_second"] = round(tokens / seconds)
        self._report.progress(record["step"], self._num_steps, "steps", **figures)


def to_batch(rows: NDArray[np.int64], trained: NDArray[np.bool_] | None = None) -> Batch:
    """A forward pass over rows of tokens (B, T + 1): position t is trained to give token t + 1.

    `trained` (B, T + 1) is False for tokens that carry no loss.
    """
    tokens = torch.from_numpy(rows)
    targets = tokens[:, 1:].clone()
    if trained is not None:
        targets[~torch.from_numpy(trained)[:, 1:]] = IGNORED
    return Batch(tokens[:, :-1].contiguous(), targets)
