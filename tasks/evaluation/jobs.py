"""What the evaluation verbs hand to their worker processes."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipeline_config.evaluation import LmEvaluationConfig
from tasks.lm.runtime import Runtime


class SourceFiles(BaseModel):
    """The token shards of one source, as (tokens, index) files."""

    model_config = ConfigDict(frozen=True)

    name: str
    dtype: str
    train: list[tuple[Path, Path]]
    heldout: list[tuple[Path, Path]]


class ScoreJob(BaseModel):
    """Scores held-out documents."""

    model_config = ConfigDict(frozen=True)

    runtime: Runtime
    config: LmEvaluationConfig
    model: Path
    sources: list[SourceFiles]
    vocab_size: int


Turns = tuple[tuple[str, str], ...]  # (role, content) each


class Prompts(BaseModel):
    """Prompts whose replies may be equally long."""

    model_config = ConfigDict(frozen=True)

    prompts: list[Turns]
    max_new_tokens: int


class AnswerJob(BaseModel):
    """Answers prompts, always with the most likely token."""

    model_config = ConfigDict(frozen=True)

    runtime: Runtime
    model: Path
    groups: list[Prompts]
    batch_rows: int
