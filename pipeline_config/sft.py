"""Settings of the sft stage; the defaults follow Alpaca's fine-tuning."""

from pydantic import Field

from pipeline_config.training import OptimizerConfig, ScheduleConfig, TrainingConfig


class SftConfig(TrainingConfig):
    """A chat model from a base model and conversations."""

    num_steps: int = Field(
        default=1220, ge=1, description="optimizer steps; Alpaca: 3 epochs of 52,000 / 128"
    )
    batch_rows: int = Field(
        default=128, ge=1, description="conversations per optimizer step (Alpaca: 128)"
    )
    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=2e-5, weight_decay=0.0)
    schedule: ScheduleConfig = ScheduleConfig(warmup_steps=37, warmdown_share=0.97)
    max_tokens: int = Field(
        default=512,
        ge=8,
        description="conversations with more tokens are dropped, as `too_long` (Alpaca: 512)",
    )
    bucket_batches: int = Field(
        default=16,
        ge=1,
        description="batches that are drawn together and sorted by length; more waste less padding,"
        " fewer mix the lengths better",
    )
