"""Settings of the pretrain stage; the defaults train GPT-2 small on Chinchilla's 20 tokens each."""

from pydantic import Field

from pipeline_config.training import ModelConfig, TrainingConfig


class PretrainConfig(TrainingConfig):
    """A base model from random weights: its shape and how long it trains."""

    model: ModelConfig = ModelConfig()
    num_steps: int = Field(
        default=4768,
        ge=1,
        description="optimizer steps; 4,768 x 512 rows x 1,024 tokens = 2.5e9 = 20 per parameter",
    )
    batch_rows: int = Field(
        default=512, ge=1, description="rows of `model.context` tokens per optimizer step"
    )
