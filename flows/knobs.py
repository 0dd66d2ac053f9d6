"""What a run can be told on the dashboard: few flat fields, and dotted overrides for the rest.

Flat because the form shows it well: titles carry the unit, a neutral default stands for "as the
preset has it", and the presets are a drop-down list.
"""

import datetime as dt
import os
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipeline_config.load import load_for_run, preset_names
from pipeline_config.pipeline import PipelineConfig

PRESET_VARIABLE = "CRAWL2CHAT_PRESET"  # the one that `up` was given, perhaps a file


def preset_choices() -> list[Any]:
    """The presets of the program, and the one that `up` serves."""
    served = os.environ.get(PRESET_VARIABLE, "")
    return [*preset_names(), *([served] if served and served not in preset_names() else [])]


class RunKnobs(BaseModel):
    """How to run. Everything else is as the preset has it; Overrides changes any key of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: str = Field(
        default="demo",
        title="Preset",
        description="Where all settings come from.",
        json_schema_extra={"enum": preset_choices()},
    )
    limit: int = Field(
        default=0,
        ge=0,
        le=1_000_000_000,
        title="Limit (documents per source)",
        description="For a trial run; 0: all documents.",
    )
    refresh: bool = Field(
        default=False,
        title="Capture again",
        description="Fetch the sources as of today instead of using the last capture.",
    )
    pretrain_steps: int = Field(
        default=0,
        ge=0,
        le=100_000_000,
        title="Pretraining (steps)",
        description="0: as the preset has it.",
    )
    sft_steps: int = Field(
        default=0,
        ge=0,
        le=100_000_000,
        title="Fine-tuning (steps)",
        description="0: as the preset has it.",
    )
    seed: int = Field(
        default=-1,
        ge=-1,
        lt=2**32,
        title="Seed",
        description="Of every stage; -1: as the preset has it.",
    )
    workers: int = Field(
        default=0,
        ge=0,
        le=1024,
        title="Workers (processes)",
        description="0: one for each core. Never changes a result.",
    )

    def overrides(self) -> dict[str, Any]:
        """The keys of the configuration that these knobs set."""
        keys: dict[str, Any] = {}
        if self.limit:
            keys["crawl.limit"] = self.limit
        if self.refresh:
            keys["crawl.as_of"] = dt.datetime.now(dt.UTC).date().isoformat()
        if self.pretrain_steps:
            keys["pretrain.num_steps"] = self.pretrain_steps
        if self.sft_steps:
            keys["sft.num_steps"] = self.sft_steps
        if self.seed >= 0:
            keys |= {f"{stage}.seed": self.seed for stage in _seeded_stages()}
        return keys

    def configure(self, overrides: dict[str, Any]) -> PipelineConfig:
        """The checked configuration of a run; `overrides` win over these knobs.

        Raises:
            ConfigError: in one line per mistake, for the user.
        """
        return load_for_run(self.preset, self.overrides() | overrides)


def _seeded_stages() -> list[str]:
    """The stages whose settings have a `seed`."""
    return [
        stage
        for stage, field in PipelineConfig.model_fields.items()
        if isinstance(field.annotation, type)
        and issubclass(field.annotation, BaseModel)
        and "seed" in field.annotation.model_fields
    ]
