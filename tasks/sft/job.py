"""What the sft verb hands to its worker process."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipeline_config.sft import SftConfig
from tasks.lm.place import TrainingPlace


class SftJob(BaseModel):
    """Everything the worker reads."""

    model_config = ConfigDict(frozen=True)

    config: SftConfig
    place: TrainingPlace
    base: Path  # the base model's directory
    conversations: Path  # JSON lines
