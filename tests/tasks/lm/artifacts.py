"""Steps that make the inputs of model stages: tokens of two sources, a tokenizer, conversations."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline_config.pretrain import PretrainConfig
from pipeline_config.training import OptimizerConfig, RuntimeConfig, ScheduleConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.conversations import (
    Conversation,
    Message,
    Quality,
    Split,
    Task,
    TeacherInfo,
    Verification,
    conversation_id,
    write_conversations,
)
from storage.session import session
from storage.steps import step
from storage.store import Store
from storage.tokens import TOKEN_INDEX_SCHEMA, TokenWriter, index_name, token_dtype, tokens_name
from tasks.lm.chat_format import load_tokenizer
from tasks.pretrain.task import pretrain
from tests.tasks.lm.tiny import TINY, write_tokenizer

SENTENCES = {
    "docs": ["the cat sat on the mat", "the dog sat on the log", "the cat and the dog"],
    "code": ["yes no yes no", "no code yes", "docs code docs code"],
}


@step("train-tokenizer", version="1")
def train_tokenizer(build: Build) -> None:
    directory = write_tokenizer(build.scratch / "tokenizer")
    for path in sorted(directory.iterdir()):
        build.add_file(path.name, path)
    build.counts.kept = 1


@step("tokenize", version="1")
def tokenize(build: Build, tokenizer: ArtifactRef, source: str) -> None:
    directory = write_tokenizer(build.scratch / "tokenizer")
    loaded = load_tokenizer(directory)
    for split, number in (("train", 60), ("heldout", 6)):
        rng = np.random.default_rng(number)
        with TokenWriter(build.scratch / split, token_dtype(len(loaded))) as writer:
            for document in range(number):
                text = "\n".join(rng.choice(SENTENCES[source], size=document % 5 + 1))
                ids = np.array([0, *loaded.encode(text)], dtype=np.uint32)
                writer.add(f"{split}-{document}", ids, num_bytes=len(text.encode()), cluster="")
        build.add_file(tokens_name(split, "00000"), writer.path)
        build.add_table(index_name(split, "00000"), writer.index(), TOKEN_INDEX_SCHEMA)
    build.counts.extra |= {"vocab_size": len(loaded), "dtype": token_dtype(len(loaded)).str}


@step("mixture", version="1")
def mixture(build: Build) -> None:
    build.add_json("weights.json", {"docs": {"weight": 0.75}, "code": {"weight": 0.25}})


def conversation(
    prompt: str, answer: str, family: str, split: Split, choices: tuple[str, ...]
) -> Conversation:
    messages = (
        Message(role="user", content=prompt, trained=False),
        Message(role="assistant", content=answer, trained=True),
    )
    return Conversation(
        id=conversation_id(messages, "test"),
        messages=messages,
        task=Task(
            family=family, is_classification=True, instruction_id="", instruction=prompt, round=0
        ),
        method="test",
        teacher=TeacherInfo(kind="procedural/1", model="no language model", request=""),
        verify=Verification(verifier="choice", answer=answer, choices=choices),
        quality=Quality(rouge_max=0.0),
        split=split,
    )


def source_questions(split: Split, number: int) -> Iterator[Conversation]:
    """`source`: which source a text is from. The first word of the prompt makes ids differ."""
    rng = np.random.default_rng([number, len(split)])
    for index in range(number):
        source = ("docs", "code")[index % 2]
        text = " ".join(rng.choice(SENTENCES[source], size=2))
        answer = source if split != "control" else ("docs", "code")[(index // 2) % 2]
        yield conversation(f"{index} {text}", answer, "source", split, ("docs", "code"))


def first_word_questions(split: Split, number: int) -> Iterator[Conversation]:
    """`first`: which of two words came first; the set of words does not tell."""
    rng = np.random.default_rng([number, len(split)])
    for index in range(number):
        words = ("cat", "dog") if rng.random() < 0.5 else ("dog", "cat")
        prompt = f"{index} {words[0]} {words[1]}"
        yield conversation(prompt, words[0], "first", split, ("cat", "dog"))


@step("instructions", version="1")
def instructions(build: Build) -> None:
    splits: tuple[tuple[Split, int], ...] = (("train", 80), ("heldout", 20), ("control", 20))
    for split, number in splits:
        found = [*source_questions(split, number), *first_word_questions(split, number)]
        path = build.scratch / f"{split}.jsonl"
        rows = write_conversations(path, found)
        build.add_file(path.name, path, rows=rows)


@dataclass(frozen=True)
class Inputs:
    """The artifacts that model stages read."""

    tokens: dict[str, ArtifactRef]
    tokenizer: ArtifactRef
    mixture: ArtifactRef
    instructions: ArtifactRef


def make_inputs() -> Inputs:
    tokenizer = train_tokenizer()
    return Inputs(
        tokens={name: tokenize(tokenizer, name, label=name) for name in ("docs", "code")},
        tokenizer=tokenizer,
        mixture=mixture(),
        instructions=instructions(),
    )


ON_ONE_CORE = RuntimeConfig(device="cpu", dtype="float32", threads=1)
FAST = OptimizerConfig(name="muon", learning_rate=0.01)
PRETRAIN = PretrainConfig(
    model=TINY,
    num_steps=150,
    batch_rows=8,
    row_tokens=32,
    optimizer=FAST,
    schedule=ScheduleConfig(warmup_steps=4),
    runtime=ON_ONE_CORE,
    checkpoint_every=20,
)


def pretrain_in(url: str) -> None:
    """Makes the inputs and the base model in the store at `url`; tests start and kill this."""
    config = PRETRAIN
    with session(Store(url), flow="t", preset="t", config=config, workers=1, through_prefect=False):
        inputs = make_inputs()
        pretrain(inputs.tokens, inputs.mixture, inputs.tokenizer, config)
