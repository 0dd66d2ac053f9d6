"""Where and how one training runs, as a verb tells its worker process; imports no torch."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipeline_config.training import TrainingConfig
from tasks.lm.runtime import Runtime, resolve_training


class TrainingPlace(BaseModel):
    """Everything about a training run that is not what it computes."""

    model_config = ConfigDict(frozen=True)

    runtime: Runtime
    checkpoint_every: int  # steps
    run_dir: Path  # checkpoints and log; survives kills
    output: Path  # the finished model directory; must not exist yet


def training_place(config: TrainingConfig, work: Path, scratch: Path) -> TrainingPlace:
    """The place of a step's training: checkpoints in `work`, the result in `scratch`."""
    return TrainingPlace(
        runtime=resolve_training(config),
        checkpoint_every=config.checkpoint_every,
        run_dir=work / "training",
        output=scratch / "model",
    )
