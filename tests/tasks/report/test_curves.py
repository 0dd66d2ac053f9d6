import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tasks.report.curves import count_parameters, read_training


def test_read_training_thins_the_curve_and_keeps_its_ends(tmp_path: Path) -> None:
    log = tmp_path / "training_log.jsonl"
    records = [
        {"step": n, "loss": 9 - n / 100, "lr": 1e-3, "tokens": n * 64, "grad_norm": 1.0}
        for n in range(1, 501)
    ]
    log.write_text("".join(json.dumps(record) + "\n" for record in records))
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"num_hidden_layers": 4, "hidden_size": 192, "vocab_size": 4096}))
    weights = tmp_path / "model.safetensors"
    save_file({"a": np.zeros((3, 5), np.float32), "b": np.zeros(7, np.float16)}, weights)

    training = read_training(log, config, [weights], curve_points=50)

    assert len(training.curve) == 50
    assert (training.curve[0].step, training.curve[-1].step) == (1, 500)
    assert (training.steps, training.tokens, training.parameters) == (500, 500 * 64, 22)
    assert ("vocabulary", "4,096") in training.shape


def test_count_parameters_reads_the_header_only(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"w": np.zeros((10, 10), np.float32)}, path, metadata={"format": "pt"})
    path.write_bytes(path.read_bytes()[:-400])  # the values are gone, the header is there
    assert count_parameters(path) == 100


def test_an_empty_log_is_an_error(tmp_path: Path) -> None:
    log = tmp_path / "training_log.jsonl"
    log.touch()
    with pytest.raises(ValueError, match="empty"):
        read_training(log, log, [], 50)
