"""Settings of the teacher: who answers prompts, and what that may cost."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline_config.base import StageConfig


class TeacherConfig(StageConfig):
    """A teacher of one of two kinds.

    `procedural` answers by rule, needs nothing, and is no language model. `openai` asks any
    OpenAI-compatible server; the fields from `base_url` on are for it alone. Those that say where
    it lives and how patient we are are excluded: they are no part of any step's key.
    """

    kind: Literal["procedural", "openai"] = Field(
        default="procedural", description="who answers: rules, or an OpenAI-compatible server"
    )
    fault_share: float = Field(
        default=0.05,
        ge=0,
        le=0.5,
        description="share of procedural answers made wrong on purpose, to exercise the filters",
    )
    base_url: str = Field(
        default="",
        exclude=True,
        description="of the server, up to /v1, such as http://127.0.0.1:8000/v1",
    )
    model: str = Field(default="", description="the model's name at the server")
    api_key_env: str = Field(
        default="",
        exclude=True,
        description="name of the environment variable that holds the key; empty sends none",
    )
    temperature: float = Field(
        default=0.7, ge=0, le=2, description="when writing instructions; 0 elsewhere (the paper's)"
    )
    top_p: float = Field(
        default=0.5, gt=0, le=1, description="when writing instructions (the paper's)"
    )
    max_answer_tokens: int = Field(
        default=1024, ge=16, description="length limit of one answer, in tokens (the paper's)"
    )
    concurrency: int = Field(
        default=4, ge=1, le=256, exclude=True, description="requests in flight"
    )
    timeout_seconds: float = Field(
        default=120, gt=0, exclude=True, description="longest time of one attempt"
    )
    max_attempts: int = Field(
        default=4, ge=1, le=20, exclude=True, description="attempts per request"
    )
    max_wait_seconds: float = Field(
        default=60,
        ge=0,
        exclude=True,
        description="longest pause between attempts, whatever the server asks",
    )
    max_requests: int = Field(
        default=1000, ge=0, description="most requests a step may send; 0 replays stored answers"
    )
    max_tokens: int = Field(
        default=2_000_000, ge=0, description="most tokens a step may use, prompts included"
    )
    send_documents: bool = Field(
        default=False, description="whether passages of the corpus may leave for the server"
    )

    @model_validator(mode="after")
    def _server_is_named(self) -> Self:
        if self.kind == "openai" and not (self.base_url and self.model):
            raise ValueError("kind openai needs base_url and model; set both, or kind: procedural")
        if self.base_url and not self.base_url.startswith(("http://", "https://")):
            raise ValueError(f"base_url {self.base_url!r} must start with http:// or https://")
        return self
