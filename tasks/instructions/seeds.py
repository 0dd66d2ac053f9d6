"""Seed tasks: the people-written examples that a bootstrap starts from."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OWN_SEED_TASKS = Path(__file__).with_name("seed_tasks.jsonl")

_FIELDS = {"id", "name", "instruction", "instances", "is_classification"}


@dataclass(frozen=True, slots=True)
class SeedInstance:
    """One input and its answer; the input may be empty."""

    input: str
    output: str


@dataclass(frozen=True, slots=True)
class SeedTask:
    """A task that a person wrote."""

    id: str
    name: str
    instruction: str
    instances: tuple[SeedInstance, ...]
    is_classification: bool


def seed_file(path: str) -> Path:
    """The file at `path`, or the project's own for an empty one."""
    return Path(path).expanduser() if path else OWN_SEED_TASKS


def seed_digest(path: str) -> str:
    """The hash of a seed file's bytes: what a step that reads it puts into its key."""
    return hashlib.sha256(seed_file(path).read_bytes()).hexdigest()


def load_seed_tasks(path: Path) -> list[SeedTask]:
    """The tasks of a JSON-lines file, one a line.

    Raises:
        ValueError: naming file and line, for a line that is no task.
    """
    tasks = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                tasks.append(_task(json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(
                    f"{path.name}:{number}: no seed task ({error}); each line is an object with "
                    f"{', '.join(sorted(_FIELDS))}, instances being a list of input and output"
                ) from None
    if not tasks:
        raise ValueError(f"{path} has no seed tasks; a bootstrap needs at least one")
    return tasks


def _task(row: dict[str, Any]) -> SeedTask:
    instances = tuple(
        SeedInstance(str(one["input"]), str(one["output"])) for one in row["instances"]
    )
    if not str(row["instruction"]).strip() or not instances:
        raise ValueError("it needs an instruction and at least one instance")
    return SeedTask(
        id=str(row["id"]),
        name=str(row["name"]),
        instruction=" ".join(str(row["instruction"]).split()),
        instances=instances,
        is_classification=bool(row["is_classification"]),
    )
