"""Training checkpoints and model directories: safetensors and JSON, nothing is ever unpickled.

    <run>/step-000500/            a Hugging Face model directory, and beside the weights
        training_state.safetensors    optimizer and random-generator tensors by flat name
        training_state.json           the numbers of the loop: step, tokens seen

A checkpoint is filled under a temporary name and renamed, so whatever kills the process, a
directory called `step-…` is complete.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from storage.artifact import ArtifactRef
from storage.build import Build

if TYPE_CHECKING:
    from torch import Tensor

KEPT = 2  # the last one, and the one before in case the last holds a diverged model
TOKENIZER_FILES = ("chat_template.jinja", "tokenizer.json", "tokenizer_config.json")
_NAME = re.compile(r"step-(\d{6,})")


def write_checkpoint(run_dir: Path, step: int, fill: Callable[[Path], None]) -> Path:
    """A new checkpoint, filled by `fill(directory)`; all but the newest ones are removed."""
    run_dir.mkdir(parents=True, exist_ok=True)
    for abandoned in run_dir.glob("tmp-step-*"):
        shutil.rmtree(abandoned)
    temporary = run_dir / f"tmp-step-{step:06d}"
    temporary.mkdir()
    fill(temporary)
    checkpoint = run_dir / f"step-{step:06d}"
    os.rename(temporary, checkpoint)
    for old in _checkpoints(run_dir)[:-KEPT]:
        shutil.rmtree(old)
    return checkpoint


def latest_checkpoint(run_dir: Path) -> Path | None:
    """The checkpoint with the highest step, if there is one."""
    return next(reversed(_checkpoints(run_dir)), None)


def _checkpoints(run_dir: Path) -> list[Path]:
    if not run_dir.is_dir():
        return []
    found = [path for path in run_dir.iterdir() if _NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: int(path.name.removeprefix("step-")))


def write_training_state(
    directory: Path, tensors: Mapping[str, "Tensor"], numbers: Mapping[str, int]
) -> None:
    """Writes what a model's own files do not hold but training needs to go on."""
    from safetensors.torch import save_file

    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    # One metadata key only: safetensors writes several in random order.
    save_file(contiguous, directory / "training_state.safetensors", metadata={"format": "pt"})
    (directory / "training_state.json").write_text(json.dumps(dict(numbers), sort_keys=True))


def read_training_state(directory: Path) -> tuple[dict[str, "Tensor"], dict[str, int]]:
    """The tensors (on the CPU) and numbers that `write_training_state` wrote."""
    from safetensors.torch import load_file

    tensors = load_file(directory / "training_state.safetensors")
    return tensors, json.loads((directory / "training_state.json").read_text())


def add_model(build: Build, directory: Path) -> None:
    """Adds every file of a finished model directory to the step's outputs, in order of name."""
    for path in sorted(directory.iterdir()):
        rows = path.read_bytes().count(b"\n") if path.suffix == ".jsonl" else 0
        build.add_file(path.name, path, rows=rows)


def link_model(build: Build, model: ArtifactRef, directory: Path) -> Path:
    """A directory with the names that libraries expect, linked to the files of an artifact."""
    return link_files(
        directory, [(entry.name, build.path(model, entry.name)) for entry in build.files(model)]
    )


def link_files(directory: Path, files: Iterable[tuple[str, Path]]) -> Path:
    """A directory of links, by name, to files that lie elsewhere under other names."""
    directory.mkdir(parents=True)
    for name, path in files:
        link = directory / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())
    return directory
