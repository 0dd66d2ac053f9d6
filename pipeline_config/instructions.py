"""Settings of the instructions stage: Self-Instruct's four steps (Wang et al. 2023)."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline_config.base import StageConfig

FamilyName = Literal[
    "capital",
    "first_word",
    "last_but_one",
    "last_sign",
    "last_word",
    "next_mark",
    "next_word",
    "odd_one_out",
    "python_word",
    "same_source",
    "source",
    "which_source",
    "word_order",
]


class BootstrapConfig(StageConfig):
    """Writing instructions: rounds of prompts, and the filters each new one must pass."""

    families: tuple[FamilyName, ...] = Field(
        default=("source", "first_word", "last_word", "last_but_one", "last_sign", "python_word"),
        description="the rule-verified tasks over the user's documents that the procedural "
        "teacher phrases; empty: only a language model writes instructions",
    )
    seed_tasks: str = Field(
        default="",
        description="path of a JSON-lines file with seed tasks; empty: the project's own 175",
    )
    target_instructions: int = Field(
        default=200, ge=1, description="accepted instructions per teacher, after which it stops"
    )
    max_rounds: int = Field(default=60, ge=1, description="rounds per teacher")
    max_barren_rounds: int = Field(
        default=6, ge=1, description="a teacher stops after so many rounds without a new one"
    )
    requests_per_round: int = Field(
        default=5,
        ge=1,
        description="prompts sent together, all from the pool as it stood before the round "
        "(the reference's 5)",
    )
    instructions_per_request: int = Field(
        default=8, ge=1, le=50, description="new instructions asked for (the reference's 8)"
    )
    seeds_in_prompt: int = Field(default=6, ge=1, description="seed tasks shown (the paper's 6)")
    machine_in_prompt: int = Field(
        default=2, ge=0, description="earlier machine-written ones shown (the paper's 2)"
    )
    min_words: int = Field(default=4, ge=1, description="words of an instruction (reference: 4)")
    max_words: int = Field(
        default=150, ge=1, description="words of an instruction (reference: 150)"
    )
    max_rouge: float = Field(
        default=0.7,
        gt=0,
        le=1,
        description="ROUGE-L F1 to any earlier instruction, in thousandths (the paper's 0.7)",
    )
    rule: Literal["paper", "reference"] = Field(
        default="paper",
        description="paper: F1 >= max_rouge rejects, exactly; reference: the released code's "
        "floating-point F1 > max_rouge",
    )

    @field_validator("families")
    @classmethod
    def _families_once(cls, families: tuple[FamilyName, ...]) -> tuple[FamilyName, ...]:
        twice = sorted({name for name in families if families.count(name) > 1})
        if twice:
            raise ValueError(f"{twice[0]!r} is listed twice; name each family once")
        return families

    @model_validator(mode="after")
    def _words_in_order(self) -> Self:
        if self.min_words > self.max_words:
            raise ValueError(f"min_words {self.min_words} is above max_words {self.max_words}")
        return self


class InstancesConfig(StageConfig):
    """Writing instances: how many, over which passages, in which shape."""

    per_instruction: int = Field(
        default=20,
        ge=1,
        description="verified instances per training instruction, over training documents",
    )
    heldout_per_family: int = Field(
        default=200,
        ge=0,
        description="verified instances per family for evaluation, over held-out documents",
    )
    heldout_phrasings: float = Field(
        default=0.2,
        ge=0,
        lt=1,
        description="share of each family's instructions that only the evaluation uses",
    )
    examples_per_request: int = Field(
        default=5, ge=1, le=20, description="examples asked for in one prompt (the paper's 5)"
    )
    max_attempts: int = Field(
        default=4, ge=1, le=20, description="times a family's question is asked until verified"
    )
    min_passage_words: int = Field(default=8, ge=4, description="shortest passage, in words")
    max_passage_words: int = Field(default=16, ge=4, description="longest passage, in words")
    max_passage_chars: int = Field(
        default=200, ge=40, description="longest passage, in characters; longer ones are not used"
    )
    documents_per_source: int = Field(
        default=5000,
        ge=1,
        description="documents of each split that passages are cut from: a sample by hash",
    )

    @model_validator(mode="after")
    def _words_in_order(self) -> Self:
        if self.min_passage_words > self.max_passage_words:
            raise ValueError(
                f"min_passage_words {self.min_passage_words} is above "
                f"max_passage_words {self.max_passage_words}"
            )
        return self


class InstructionsConfig(StageConfig):
    """From seed tasks and documents to conversations for fine-tuning and evaluation."""

    seed: int = Field(default=0, ge=0, lt=2**32, description="of every draw in this stage")
    bootstrap: BootstrapConfig = BootstrapConfig()
    instances: InstancesConfig = InstancesConfig()
