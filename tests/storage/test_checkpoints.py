from pathlib import Path

import pytest
import torch

from storage.checkpoints import (
    latest_checkpoint,
    link_files,
    read_training_state,
    write_checkpoint,
    write_training_state,
)


def test_latest_is_the_highest_complete_step(tmp_path: Path) -> None:
    assert latest_checkpoint(tmp_path / "run") is None
    for step in (90, 100, 1_000_000):
        write_checkpoint(tmp_path, step, lambda directory: (directory / "x").touch())
    (tmp_path / "tmp-step-2000000").mkdir()
    (tmp_path / "notes").mkdir()
    assert latest_checkpoint(tmp_path) == tmp_path / "step-1000000"
    assert not (tmp_path / "step-000090").exists()  # the last two stay
    assert (tmp_path / "step-000100" / "x").exists()


def test_failed_checkpoint_leaves_the_last_one_and_no_litter(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, 1, lambda directory: (directory / "x").touch())

    def fails(directory: Path) -> None:
        (directory / "half").touch()
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        write_checkpoint(tmp_path, 2, fails)
    assert latest_checkpoint(tmp_path) == tmp_path / "step-000001"
    write_checkpoint(tmp_path, 2, lambda directory: (directory / "x").touch())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000001", "step-000002"]


def test_training_state_comes_back_bit_for_bit_without_pickle(tmp_path: Path) -> None:
    tensors = {"optimizer.0.1.exp_avg": torch.randn(4, 3).T, "generator": torch.get_rng_state()}
    write_training_state(tmp_path, tensors, {"step": 7, "tokens": 2**40})
    found, numbers = read_training_state(tmp_path)
    assert numbers == {"step": 7, "tokens": 2**40}
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    first_bytes = (tmp_path / "training_state.safetensors").read_bytes()
    assert b"pickle" not in first_bytes
    write_training_state(tmp_path, dict(reversed(tensors.items())), {"step": 7, "tokens": 2**40})
    assert (tmp_path / "training_state.safetensors").read_bytes() == first_bytes


def test_linked_files_have_their_names(tmp_path: Path) -> None:
    blob = tmp_path / "4f1c"
    blob.write_text("{}")
    directory = link_files(tmp_path / "model", [("config.json", blob)])
    assert (directory / "config.json").read_text() == "{}"
