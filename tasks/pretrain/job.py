"""What the pretrain verb hands to its worker process."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipeline_config.pretrain import PretrainConfig
from tasks.lm.place import TrainingPlace


class DomainFiles(BaseModel):
    """One source of the mixture: its weight and its (tokens, index) files."""

    model_config = ConfigDict(frozen=True)

    name: str
    weight: float
    shards: list[tuple[Path, Path]]
    dtype: str


class PretrainJob(BaseModel):
    """Everything the worker reads."""

    model_config = ConfigDict(frozen=True)

    config: PretrainConfig
    place: TrainingPlace
    domains: list[DomainFiles]
    vocab_size: int
    tokenizer: Path  # a directory with the tokenizer's files
