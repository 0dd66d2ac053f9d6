"""Reads what training leaves: the log of its losses, and the shape and size of the model."""

import json
import struct
from pathlib import Path

from tasks.report.contents import CurvePoint, Training
from tasks.report.examples import spread

# What a reader asks first; the names of Hugging Face's `config.json`.
SHAPE_FIELDS = {
    "num_hidden_layers": "layers",
    "hidden_size": "hidden size",
    "num_attention_heads": "heads",
    "vocab_size": "vocabulary",
    "max_position_embeddings": "context",
}


def read_training(log: Path, config: Path, weights: list[Path], curve_points: int) -> Training:
    """One training run, from the files of its model.

    Raises:
        ValueError: when the log is empty.
    """
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    if not lines:
        raise ValueError("the training log is empty; rebuild the training step")
    curve = tuple(
        CurvePoint(line["step"], line["loss"], line["lr"], line["tokens"])
        for line in (lines[index] for index in spread(len(lines), curve_points))
    )
    settings = json.loads(config.read_text(encoding="utf-8"))
    shape = tuple(
        (title, f"{settings[name]:,}") for name, title in SHAPE_FIELDS.items() if name in settings
    )
    return Training(
        parameters=sum(count_parameters(path) for path in weights),
        shape=shape,
        curve=curve,
        steps=lines[-1]["step"],
        tokens=lines[-1]["tokens"],
    )


def count_parameters(weights: Path) -> int:
    """The number of values in a safetensors file, read from its header alone.

    The format: 8 bytes header length (little endian), then JSON {name: {shape, …}}. Tied weights
    are stored, and so counted, once.
    """
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    total = 0
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        size = 1
        for side in tensor["shape"]:
            size *= side
        total += size
    return total
