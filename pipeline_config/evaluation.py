"""Settings of the evaluation stage: how much held-out data is read, and how models answer."""

from pydantic import Field

from pipeline_config.base import StageConfig
from pipeline_config.training import RuntimeConfig


class LmEvaluationConfig(StageConfig):
    """Bits per byte of a language model and of the bigram model beside it."""

    max_tokens_per_source: int = Field(
        default=1_000_000,
        ge=1,
        description="held-out tokens scored per source: whole documents in the order of their "
        "ids' hash",
    )
    window_tokens: int = Field(
        default=1024,
        ge=8,
        description="tokens the model sees at once; at most its context, which counts if smaller",
    )
    context_share: float = Field(
        default=0.5,
        ge=0,
        lt=1,
        description="share of a long document's windows, from the second on, that is seen again as "
        "context and not scored again; 0: windows do not overlap, which is faster and scores worse",
    )
    max_bigram_tokens: int = Field(
        default=100_000_000,
        ge=2,
        description="training tokens that the bigram model counts; of more, an equal share of every"
        " source, from its start",
    )
    batch_tokens: int = Field(
        default=4_096, ge=1, description="tokens per forward pass, padding included"
    )
    runtime: RuntimeConfig = Field(default=RuntimeConfig(), exclude=True)


class ChatEvaluationConfig(StageConfig):
    """Accuracy on held-out tasks whose answers a rule verifies, and samples."""

    max_prompts_per_family: int = Field(
        default=200, ge=1, description="held-out prompts per family, in the order of their hash"
    )
    max_new_tokens: int = Field(
        default=24, ge=1, le=4096, description="longest answer to a verified task, in tokens"
    )
    batch_rows: int = Field(default=64, ge=1, description="prompts answered together")
    num_samples: int = Field(
        default=12, ge=0, description="held-out prompts shown in full, the first by hash"
    )
    sample_prompts: tuple[str, ...] = Field(
        default=(
            "Hello! Who are you?",
            "What does the json module do?",
            "Write a short Python function that adds two numbers.",
        ),
        description="free prompts answered beside the held-out ones",
    )
    sample_tokens: int = Field(
        default=64, ge=1, le=4096, description="longest answer to a free prompt, in tokens"
    )
    runtime: RuntimeConfig = Field(default=RuntimeConfig(), exclude=True)


class EvaluationConfig(StageConfig):
    """Both evaluations; each step reads its own part only."""

    lm: LmEvaluationConfig = LmEvaluationConfig()
    chat: ChatEvaluationConfig = ChatEvaluationConfig()
