"""What every training stage shares: the model's shape, optimizer, schedule and where it runs."""

from typing import Any, Literal, NamedTuple

from pydantic import Field, model_validator

from pipeline_config.base import StageConfig


class Shape(NamedTuple):
    """Layers and widths that make one named model size."""

    num_layers: int
    hidden_size: int
    num_heads: int


# A layer has 12 * hidden_size**2 weights (4 attention, 8 SwiGLU), an embedding vocab * hidden_size.
SHAPES = {
    "1m": Shape(4, 128, 4),  # 0.8M in layers, 1.3M with 4,096 tied embeddings
    "3m": Shape(4, 192, 6),  # 1.8M, 2.6M
    "5m": Shape(4, 256, 8),  # 3.1M, 4.2M
    "15m": Shape(6, 384, 6),  # 10.6M, 14.7M with 10,752 embeddings
    "124m": Shape(12, 768, 12),  # GPT-2 small: 85M, 124M with 50,257 embeddings
    "350m": Shape(24, 1024, 16),  # GPT-2 medium: 302M, 353M
    "1b": Shape(24, 1792, 14),  # 925M, 983M with 32,768 embeddings
}


class ModelConfig(StageConfig):
    """The shape of a Llama model; `size` gives whatever is not set by hand."""

    size: Literal["1m", "3m", "5m", "15m", "124m", "350m", "1b"] = Field(
        default="124m", description="named shape; the fields below override parts of it"
    )
    num_layers: int = Field(default=12, ge=1, le=128, description="transformer layers")
    hidden_size: int = Field(
        default=768, ge=16, le=16384, description="width of the residual stream"
    )
    num_heads: int = Field(
        default=12, ge=1, le=128, description="attention heads; divides hidden_size"
    )
    mlp_size: int = Field(
        default=2048,
        ge=16,
        le=65536,
        description="SwiGLU width; if not set, 8/3 hidden_size as a multiple of 32",
    )
    context: int = Field(default=1024, ge=8, le=131072, description="longest input, in tokens")
    rope_theta: float = Field(
        default=10_000.0, gt=0, description="base of the rotary position frequencies"
    )
    tie_embeddings: bool = Field(default=True, description="the output head is the embedding table")

    @model_validator(mode="before")
    @classmethod
    def _fill_from_size(cls, values: Any) -> Any:
        """Writes the size's shape into the fields, so that the configuration shows all of it."""
        if not isinstance(values, dict):
            return values
        shape = SHAPES.get(values.get("size", "124m"))
        if shape is None:
            return values  # the Literal reports it, with the choices
        filled = {**shape._asdict(), **values}
        if isinstance(filled["hidden_size"], int):
            filled.setdefault("mlp_size", max(32, round(filled["hidden_size"] / 12) * 32))  # 8/3
        return filled

    @model_validator(mode="after")
    def _check_heads(self) -> "ModelConfig":
        if self.hidden_size % (2 * self.num_heads):
            raise ValueError(
                f"hidden_size ({self.hidden_size}) must be an even multiple of num_heads "
                f"({self.num_heads}): rotary positions turn pairs; set num_heads to "
                f"{_nearest_heads(self.hidden_size, self.num_heads)}"
            )
        return self


def _nearest_heads(hidden_size: int, num_heads: int) -> int:
    """The number of heads closest to `num_heads` that divides an even hidden size."""
    fitting = [heads for heads in range(1, hidden_size + 1) if hidden_size % (2 * heads) == 0]
    return min(fitting, key=lambda heads: abs(heads - num_heads), default=1)


class OptimizerConfig(StageConfig):
    """AdamW for everything, or Muon for the layers' matrices and AdamW for the rest."""

    name: Literal["adamw", "muon"] = Field(
        default="adamw", description="muon: orthogonalised updates of the layers' matrices"
    )
    learning_rate: float = Field(
        default=6e-4, gt=0, le=1, description="AdamW's peak learning rate (GPT-3 125M: 6e-4)"
    )
    beta1: float = Field(default=0.9, ge=0, lt=1, description="AdamW's decay of the mean gradient")
    beta2: float = Field(default=0.95, ge=0, lt=1, description="AdamW's decay of its square")
    weight_decay: float = Field(
        default=0.1, ge=0, le=1, description="decoupled, on matrices only (GPT-3: 0.1)"
    )
    muon_learning_rate: float = Field(
        default=0.02, gt=0, le=1, description="Muon's peak learning rate (used by muon only)"
    )
    muon_momentum: float = Field(
        default=0.95, ge=0, lt=1, description="Muon's Nesterov momentum (used by muon only)"
    )
    max_grad_norm: float = Field(
        default=1.0, gt=0, description="gradients are scaled down to this norm (GPT-3: 1.0)"
    )


class ScheduleConfig(StageConfig):
    """Linear warmup, a constant learning rate, linear warmdown."""

    warmup_steps: int = Field(default=100, ge=0, description="steps from 0 to the peak")
    warmdown_share: float = Field(
        default=0.4, ge=0, le=1, description="share of all steps that falls to final_share"
    )
    final_share: float = Field(
        default=0.0, ge=0, le=1, description="last learning rate, as a share of the peak"
    )


class RuntimeConfig(StageConfig):
    """Where a model runs.

    Steps hold it with `exclude=True`: a step's key has what the settings come to on this machine
    (`tasks.lm.runtime`), so that writing `cpu` where `auto` found the CPU computes nothing again.
    """

    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="auto: cuda where a CUDA build of torch finds a GPU"
    )
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="of the matrix products; auto: bfloat16 on GPUs and CPUs with AMX, where it is "
        "faster (on CPUs without AMX it is 2.5 times slower)",
    )
    threads: int = Field(default=0, ge=0, le=1024, description="CPU threads; 0: all usable cores")


class TrainingConfig(StageConfig):
    """What the training loop reads; each training stage adds its own fields."""

    seed: int = Field(default=0, ge=0, lt=2**32, description="of weights and of the order of rows")
    num_steps: int = Field(ge=1, description="optimizer steps")
    batch_rows: int = Field(ge=1, description="rows per optimizer step")
    micro_batch_rows: int = Field(
        default=32, ge=1, description="rows per forward pass; fewer need less memory"
    )
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    runtime: RuntimeConfig = Field(default=RuntimeConfig(), exclude=True)
    compile: Literal["auto", "always", "never"] = Field(
        default="auto",
        exclude=True,
        description="torch.compile; auto: on GPUs only, since a CPU needs up to a minute for it",
    )
    checkpoint_every: int = Field(
        default=100,
        ge=1,
        exclude=True,
        description="steps between checkpoints; a killed run redoes fewer",
    )
