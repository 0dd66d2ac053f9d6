import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers.models.llama import LlamaForCausalLM

from pipeline_config.training import OptimizerConfig, ScheduleConfig, TrainingConfig
from storage.checkpoints import latest_checkpoint
from tasks.lm.loop import LOG_NAME, Batches, DivergedError, fit
from tasks.lm.loss import IGNORED, Batch, language_model_loss
from tasks.lm.model import build_model
from tasks.lm.place import TrainingPlace
from tasks.lm.runtime import Runtime
from tests.tasks.lm.tiny import TINY

VOCAB = 50
CONFIG = TrainingConfig(
    num_steps=6,
    batch_rows=8,
    optimizer=OptimizerConfig(learning_rate=0.01),
    schedule=ScheduleConfig(warmup_steps=2),
)


def place(directory: Path, **runtime: object) -> TrainingPlace:
    return TrainingPlace(
        runtime=Runtime(**runtime),
        checkpoint_every=2,
        run_dir=directory / "run",
        output=directory / "model",
    )


def batches(micro_batch_rows: int = 8) -> Batches:
    """Eight rows of 12 tokens a step, with very unequal numbers of targets."""

    def at(step: int) -> list[Batch]:
        tokens = torch.randint(0, VOCAB, (8, 13), generator=torch.Generator().manual_seed(step))
        targets = tokens[:, 1:].clone()
        for row in range(8):
            targets[row, row + 1 :] = IGNORED
        parts = zip(
            tokens[:, :-1].split(micro_batch_rows), targets.split(micro_batch_rows), strict=True
        )
        return [Batch(inputs, outputs) for inputs, outputs in parts]

    return at


def fresh() -> LlamaForCausalLM:
    return build_model(TINY, vocab_size=VOCAB, document_end=0, seed=0)


def weights(model: LlamaForCausalLM) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


def log_of(directory: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (directory / "run" / LOG_NAME).read_text().splitlines()]


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_training_changes_every_weight_and_lowers_the_loss(tmp_path: Path, name: str) -> None:
    model = fresh()
    before = [weight.detach().clone() for weight in model.parameters()]
    optimizer = OptimizerConfig(name=name, learning_rate=0.01)
    config = CONFIG.model_copy(update={"optimizer": optimizer, "num_steps": 20})
    fit(model, lambda _: batches()(0), language_model_loss, config, place(tmp_path), lambda _: None)
    for old, weight in zip(before, model.parameters(), strict=True):
        assert not torch.equal(old, weight)
    log = log_of(tmp_path)
    assert log[-1]["loss"] < log[0]["loss"] / 2
    assert log[0]["loss"] == pytest.approx(math.log(VOCAB), rel=0.05)


def test_first_step_of_adamw_is_as_computed_by_hand(tmp_path: Path) -> None:
    model, twin = fresh(), fresh()
    optimizer = OptimizerConfig(learning_rate=0.01, weight_decay=0.0, max_grad_norm=1e9)
    config = CONFIG.model_copy(update={"optimizer": optimizer, "num_steps": 1})
    seen = []
    fit(model, batches(), language_model_loss, config, place(tmp_path), seen.append)
    (batch,) = batches()(0)
    loss = language_model_loss(twin, batch) / batch.num_targets
    torch.autograd.backward(loss)
    gradient = torch.cat([weight.grad.flatten() for weight in twin.parameters()])
    rate = 0.01 / 2  # the first of two warmup steps
    # With bias correction Adam's first step is rate * g / (|g| + 1e-8).
    expected = weights(twin) - rate * gradient / (gradient.abs() + 1e-8)
    assert torch.allclose(weights(model), expected, atol=1e-5)
    assert seen == [
        {
            "step": 1,
            "loss": pytest.approx(loss.item()),
            "lr": rate,
            "tokens": 36,  # 1 + 2 + … + 8 targets
            "grad_norm": pytest.approx(gradient.norm().item(), rel=1e-4),
        }
    ]


def test_accumulation_does_not_change_the_training(tmp_path: Path) -> None:
    found = []
    for rows in (8, 2, 1):
        model = fresh()
        directory = tmp_path / str(rows)
        fit(model, batches(rows), language_model_loss, CONFIG, place(directory), lambda _: None)
        found.append((weights(model), [record["loss"] for record in log_of(directory)]))
    for trained, losses in found[1:]:
        assert torch.allclose(trained, found[0][0], atol=1e-5)
        assert losses == pytest.approx(found[0][1], rel=1e-5)


def test_interrupted_training_ends_in_the_same_bits(tmp_path: Path) -> None:
    config = CONFIG.model_copy(
        update={"optimizer": OptimizerConfig(name="muon", learning_rate=0.01)}
    )
    whole = fresh()
    fit(whole, batches(), language_model_loss, config, place(tmp_path / "a"), lambda _: None)

    def until(step: int) -> Batches:
        def at(now: int) -> list[Batch]:
            if now == step:
                raise InterruptedError
            return batches()(now)

        return at

    for stop in (3, 5):  # checkpoints are at 2, 4 and 6
        with pytest.raises(InterruptedError):
            fit(
                fresh(),
                until(stop),
                language_model_loss,
                config,
                place(tmp_path / "b"),
                lambda _: None,
            )
    resumed = fresh()
    steps = []
    fit(
        resumed,
        batches(),
        language_model_loss,
        config,
        place(tmp_path / "b"),
        lambda record: steps.append(record["step"]),
    )
    assert steps == [5, 6]
    assert torch.equal(weights(resumed), weights(whole))
    assert log_of(tmp_path / "b") == log_of(tmp_path / "a")
    assert [record["step"] for record in log_of(tmp_path / "b")] == [1, 2, 3, 4, 5, 6]


def test_last_two_checkpoints_stay_and_load(tmp_path: Path) -> None:
    fit(fresh(), batches(), language_model_loss, CONFIG, place(tmp_path), lambda _: None)
    run = tmp_path / "run"
    assert sorted(path.name for path in run.glob("*step-*")) == ["step-000004", "step-000006"]
    names = {path.name for path in latest_checkpoint(run).iterdir()}
    assert {"config.json", "model.safetensors", "training_state.safetensors"} <= names


def test_divergence_names_the_last_good_checkpoint(tmp_path: Path) -> None:
    calls = []

    def breaks(model: LlamaForCausalLM, batch: Batch) -> Tensor:
        calls.append(1)
        loss = language_model_loss(model, batch)
        return loss * float("nan") if len(calls) == 6 else loss

    with pytest.raises(DivergedError, match=r"step 6: loss nan.*last good checkpoint: step-000004"):
        fit(fresh(), batches(), breaks, CONFIG, place(tmp_path), lambda _: None)
    assert latest_checkpoint(tmp_path / "run").name == "step-000004"


def test_bfloat16_trains_almost_as_float32(tmp_path: Path) -> None:
    last = {}
    for dtype in ("float32", "bfloat16"):
        directory = tmp_path / dtype
        fit(
            fresh(),
            batches(),
            language_model_loss,
            CONFIG,
            place(directory, dtype=dtype),
            lambda _: None,
        )
        last[dtype] = log_of(directory)[-1]["loss"]
    assert last["bfloat16"] != last["float32"]
    assert last["bfloat16"] == pytest.approx(last["float32"], rel=0.02)
