"""Settings of the pretrain stage; the defaults train GPT-2 small on Chinchilla's 20 tokens each."""

from pydantic import Field, model_validator

from pipeline_config.training import ModelConfig, TrainingConfig


class PretrainConfig(TrainingConfig):
    """A base model from random weights: its shape and how long it trains."""

    model: ModelConfig = ModelConfig()
    num_steps: int = Field(
        default=4768,
        ge=1,
        description="optimizer steps; 4,768 x 512 rows x 1,024 tokens = 2.5e9 = 20 per parameter",
    )
    batch_rows: int = Field(default=512, ge=1, description="rows per optimizer step")
    row_tokens: int = Field(
        default=1024, ge=8, description="tokens per row; at most `model.context`"
    )

    @property
    def num_tokens(self) -> int:
        """Tokens that the whole run trains on."""
        return self.num_steps * self.batch_rows * self.row_tokens

    @model_validator(mode="after")
    def _check_row_tokens(self) -> "PretrainConfig":
        if self.row_tokens > self.model.context:
            raise ValueError(
                f"row_tokens ({self.row_tokens}) exceeds model.context ({self.model.context}); "
                f"set row_tokens to {self.model.context} or raise model.context"
            )
        return self
