"""The base of every stage's configuration: frozen, and closed to unknown keys."""

from pydantic import BaseModel, ConfigDict


class StageConfig(BaseModel):
    """Immutable settings of one stage; an unknown key is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
