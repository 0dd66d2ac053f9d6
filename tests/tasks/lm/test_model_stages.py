"""The model stages through their steps, on one tiny pipeline.

Pretraining runs in its worker process, and is killed there. The other workers are called in this
process: importing torch takes seconds each time.
"""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline_config.evaluation import ChatEvaluationConfig, LmEvaluationConfig
from pipeline_config.sft import SftConfig
from pipeline_config.training import ScheduleConfig
from storage.artifact import ArtifactRef
from storage.runs import StepRun
from storage.session import Silent, planning, session
from storage.store import Store
from tasks.evaluation import evaluate_chat as evaluate_chat_verb
from tasks.evaluation import evaluate_lm as evaluate_lm_verb
from tasks.evaluation.answer import answer
from tasks.evaluation.score import score
from tasks.evaluation.task import evaluate_baselines, evaluate_chat, evaluate_lm
from tasks.lm.model import load_model, num_parameters
from tasks.lm.runtime import Runtime
from tasks.lm.talk import Talk
from tasks.lm.worker import Report, Result
from tasks.pretrain.task import pretrain
from tasks.sft import sft as sft_verb
from tasks.sft.task import sft
from tasks.sft.train import train
from tests.tasks.lm.artifacts import FAST, ON_ONE_CORE, PRETRAIN, Inputs, make_inputs

SFT = SftConfig(
    num_steps=100,
    batch_rows=8,
    max_tokens=64,
    optimizer=FAST,
    schedule=ScheduleConfig(warmup_steps=4),
    runtime=ON_ONE_CORE,
)
CHAT = ChatEvaluationConfig(
    max_prompts_per_family=15,
    max_new_tokens=6,
    num_samples=3,
    sample_prompts=("cat",),
    sample_tokens=8,
    runtime=ON_ONE_CORE,
)


class Listener(Silent):
    """Remembers what steps say."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.figures: list[dict[str, Any]] = []

    def step_progress(
        self, label: str, done: int, total: int, unit: str, figures: dict[str, Any]
    ) -> None:
        self.figures.append({"label": label, "done": done, "total": total, "unit": unit, **figures})

    def log(self, label: str, message: str) -> None:
        self.lines.append(f"{label}: {message}")

    def step_finished(self, step: StepRun) -> None:
        self.lines.append(f"{step.label} {step.status}")


@dataclass
class World:
    """A store with everything trained."""

    store: Store
    inputs: Inputs
    base: ArtifactRef
    chat: ArtifactRef
    listener: Listener

    def path(self, ref: ArtifactRef, name: str) -> Path:
        entries = {entry.name: entry for entry in self.store.manifest_of(ref).files}
        return self.store.blob_path(entries[name])

    def json(self, ref: ArtifactRef, name: str) -> Any:
        return json.loads(self.path(ref, name).read_text())

    def directory(self, ref: ArtifactRef, at: Path) -> Path:
        for entry in self.store.manifest_of(ref).files:
            (at / entry.name).write_bytes(self.store.blob_path(entry).read_bytes())
        return at


def run_here(
    module: str, job: Any, runtime: Runtime, *, on_progress: Any, on_log: Any, **_: Any
) -> Result:
    """What `run_worker` does, in this process."""
    report = Report(io.StringIO())
    report.progress, report.log = on_progress, on_log  # type: ignore[method-assign]
    function = {
        "tasks.sft.train": train,
        "tasks.evaluation.score": score,
        "tasks.evaluation.answer": answer,
    }[module]
    return json.loads(
        json.dumps(function(type(job).model_validate_json(job.model_dump_json()), report))
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A base model, killed in training and resumed, and a chat model."""
    url = str(tmp_path_factory.mktemp("world") / "store")
    kill_while_training(url)
    patch = pytest.MonkeyPatch()
    for verb in (sft_verb, evaluate_lm_verb, evaluate_chat_verb):
        patch.setattr(verb, "run_worker", run_here)
    store, listener = Store(url), Listener()
    with session(
        store,
        flow="t",
        preset="t",
        config=PRETRAIN,
        workers=1,
        reporter=listener,
        through_prefect=False,
    ):
        inputs = make_inputs()
        base = pretrain(inputs.tokens, inputs.mixture, inputs.tokenizer, PRETRAIN)
        chat = sft(base, inputs.instructions, SFT)
        yield World(store, inputs, base, chat, listener)
    patch.undo()


def kill_while_training(url: str) -> None:
    """Starts the pipeline and kills its process group, worker and all, after a checkpoint."""
    code = f"from tests.tasks.lm.artifacts import pretrain_in; pretrain_in({url!r})"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    work = Store(url).side / "work"
    deadline = time.monotonic() + 100
    while not list(work.glob("*/training/step-*")):
        assert process.poll() is None, "training ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_killed_training_resumes_and_ends_in_the_bits_of_an_undisturbed_one(
    world: World, tmp_path: Path
) -> None:
    resumed = [line for line in world.listener.lines if "from step-" in line]
    assert len(resumed) == 1
    assert "step-000150" not in resumed[0]
    fresh = Store(str(tmp_path / "store"))
    with session(fresh, flow="t", preset="t", config=PRETRAIN, workers=1, through_prefect=False):
        inputs = make_inputs()
        undisturbed = pretrain(inputs.tokens, inputs.mixture, inputs.tokenizer, PRETRAIN)
    assert undisturbed == world.base
    names = [entry.name for entry in world.store.manifest_of(world.base).files]
    assert names == [
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "training_log.jsonl",
    ]
    assert not list((world.store.side / "work").iterdir())


def test_pretraining_logs_every_step_and_its_figures(world: World, tmp_path: Path) -> None:
    lines = world.path(world.base, "training_log.jsonl").read_text().splitlines()
    log = [json.loads(line) for line in lines]
    assert [record["step"] for record in log] == list(range(1, 151))
    assert log[-1]["tokens"] == PRETRAIN.num_tokens == 150 * 8 * 32
    assert log[-1]["loss"] < log[0]["loss"] / 3
    extra = world.store.manifest_of(world.base).counts.extra
    assert extra["num_parameters"] == num_parameters(
        load_model(world.directory(world.base, tmp_path))
    )
    assert extra["epochs"].keys() == {"docs", "code"}
    last = [figures for figures in world.listener.figures if figures["label"] == "pretrain"][-1]
    assert (last["done"], last["total"], last["unit"]) == (150, 150, "steps")
    assert last["loss"] == pytest.approx(log[-1]["loss"], abs=1e-3)


def test_bits_per_byte_beside_the_bigram(world: World) -> None:
    config = LmEvaluationConfig(runtime=ON_ONE_CORE, window_tokens=32)
    found = world.json(evaluate_lm(world.base, world.inputs.tokens, config), "bits_per_byte.json")
    assert found["sources"].keys() == {"docs", "code"}
    for row in (*found["sources"].values(), found["overall"]):
        assert 0 < row["model"] < 1.5  # a few sentences, learned by heart
        assert 0 < row["bigram"] < 1.5
        assert row["left_out"] == 0
    assert found["overall"]["bytes"] == sum(row["bytes"] for row in found["sources"].values())
    assert found["overall"]["documents"] == 12


def test_chat_model_learns_what_words_tell_and_fails_the_control(world: World) -> None:
    baselines = evaluate_baselines(world.inputs.instructions, CHAT)
    after = evaluate_chat(world.chat, world.inputs.instructions, baselines, CHAT, label="after")
    found = world.json(after, "accuracy.json")
    assert found["families"].keys() == {"source", "first"}
    source = found["families"]["source"]
    assert source["number"] == 15
    assert source["accuracy"] > 0.8
    assert source["baseline"] > 0.8  # the words tell it
    assert found["families"]["first"]["baseline"] <= 0.75  # and do not tell which came first
    assert found["control"]["families"]["source"]["accuracy"] <= 0.7
    samples = world.json(after, "samples.json")
    ids = [sample["id"] for sample in samples["heldout"]]
    assert ids == sorted(ids)
    assert len(ids) == 3
    assert [sample["prompt"] for sample in samples["free"]] == ["cat"]


def test_chat_model_directory_stops_at_turns_and_talks(world: World, tmp_path: Path) -> None:
    directory = world.directory(world.chat, tmp_path)
    generation = json.loads((directory / "generation_config.json").read_text())
    assert generation["eos_token_id"] == [0, 2]
    assert generation["pad_token_id"] == 0
    talk = Talk(directory, temperature=0.0, max_tokens=8, seed=0)
    assert "".join(talk.say("3 the cat sat on the mat the dog sat on the log")) == "docs"


def test_runtime_settings_that_come_to_the_same_change_nothing(world: World) -> None:
    same = PRETRAIN.model_copy(update={"checkpoint_every": 7, "compile": "never"})
    other = PRETRAIN.model_copy(update={"seed": 1})
    threads = ON_ONE_CORE.model_copy(update={"threads": 2})
    inputs = world.inputs
    with planning(world.store, flow="t", preset="t") as plan:
        for config in (same, other, PRETRAIN.model_copy(update={"runtime": threads})):
            pretrain(inputs.tokens, inputs.mixture, inputs.tokenizer, config)
    assert [row.state for row in plan.rows] == ["cached", "run", "run"]
    assert plan.rows[1].why == "config.seed: 0 -> 1"
    assert plan.rows[2].why == "facts.threads: 1 -> 2"
