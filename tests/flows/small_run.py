"""A small pipeline for tests: three real sources, a tiny model, and the command line to run it."""

import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

NUM_NOTES = 40


def write_preset(folder: Path) -> Path:
    """A preset over package descriptions, library sources, and notes in `folder`/notes."""
    notes = folder / "notes"
    notes.mkdir(parents=True)
    for number in range(NUM_NOTES):
        (notes / f"{number:02d}.txt").write_text(note(number))
    preset: dict[str, Any] = {
        "crawl": {
            "limit": 60,
            "sources": {
                "code": {"kind": "stdlib"},
                "notes": {"kind": "text", "paths": [str(notes)]},
                "readmes": {"kind": "packages"},
            },
        },
        "tokenization": {
            "tokenizer": {"vocab_size": 600, "sample_bytes": 300_000},
            "heldout": {"share": 0.2, "min_clusters": 5},
        },
        "pretrain": {
            "model": {
                "num_layers": 1,
                "hidden_size": 32,
                "num_heads": 2,
                "mlp_size": 64,
                "context": 256,
            },
            "num_steps": 40,
            "batch_rows": 4,
            "row_tokens": 64,
            "checkpoint_every": 10,
            "runtime": {"threads": 1},
        },
        "instructions": {
            "bootstrap": {"target_instructions": 24, "max_rounds": 8},
            "instances": {
                "per_instruction": 3,
                "heldout_per_family": 6,
                "documents_per_source": 60,
            },
        },
        "sft": {"num_steps": 20, "batch_rows": 4, "runtime": {"threads": 1}},
        "evaluation": {
            "lm": {"max_tokens_per_source": 5_000, "runtime": {"threads": 1}},
            "chat": {
                "max_prompts_per_family": 6,
                "sample_tokens": 8,
                "sample_prompts": ["Hello!"],
                "runtime": {"threads": 1},
            },
        },
    }
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(preset))
    return path


WORDS = """
river bridge garden teacher engine winter market harbour library mountain carries
opens measures repairs follows watches collects silver early narrow quiet distant
broken heavy between behind under letter morning village captain window summer
paper station forest children music island doctor kitchen question answer holiday
weather number colour travel
""".split()  # noqa: SIM905 - a list of words, one to read


def note(number: int) -> str:
    """A page of English words in random order, with the little words that prose has."""
    rng = random.Random(number)

    def sentence() -> str:
        one, two, three, four = (" ".join(rng.sample(WORDS, 3)) for _ in range(4))
        return f"The {one} of {two} have that {three} and {four} with it."

    return "\n".join(f"{sentence()} {sentence()}" for _ in range(14))


@dataclass
class SmallRun:
    """The command line over one store and the small preset."""

    preset: Path
    store: Path
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "flows", *words, "--store", str(self.store)]

    def call(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            self.command(*words),
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert result.returncode == 0 or not check, result.stdout + result.stderr
        return result

    def run(self, flow: str, *words: str) -> dict[str, Any]:
        """Runs a flow and gives its record."""
        self.call("run", flow, "--preset", str(self.preset), *words)
        return self.last()

    def last(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(self.call("runs", "show", "--json").stdout)
        return record

    def plan(self, flow: str, *words: str) -> dict[str, str]:
        """State of every step."""
        found = self.call("plan", flow, "--preset", str(self.preset), "--json", *words).stdout
        return {row["name"]: row["state"] for row in json.loads(found)}


def executed(record: dict[str, Any]) -> set[str]:
    return {step["label"] for step in record["steps"] if step["status"] == "executed"}


def digests(record: dict[str, Any]) -> dict[str, str]:
    return {step["label"]: step["digest"] for step in record["steps"]}
