"""Conversations: what fine-tuning trains on and evaluation asks, with where each one came from.

A file of conversations is JSON lines, one record a line, sorted keys, no spaces, UTF-8: equal
records are equal bytes. Rejected conversations are records too, with `reject_reason` set.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from storage.fingerprint import canonical_json, fingerprint

Split = Literal["train", "heldout", "control", "rejected"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(_Record):
    """One turn."""

    role: Literal["system", "user", "assistant"]
    content: str
    trained: bool = Field(description="whether the loss covers this turn")


class Task(_Record):
    """What is asked."""

    family: str = Field(default="", description="the rule family; empty for a free instruction")
    is_classification: bool
    label: str = Field(default="", description="the class, for classification")
    instruction_id: str
    instruction: str
    round: int = Field(ge=0, description="the bootstrap round that wrote the instruction")


class Origin(_Record):
    """A span of a document of the user that the input quotes."""

    doc_id: str
    cluster: str = Field(description="its duplicate cluster: the unit of the held-out split")
    source: str
    url: str
    licence: str = ""
    start: int = Field(ge=0, description="first word of the span")
    words: int = Field(ge=1, description="length of the span")


class TeacherInfo(_Record):
    """Who wrote the answer."""

    kind: str = Field(description="a backend with version, such as `procedural/1`")
    model: str = Field(description="the model's name, or `no language model`")
    request: str = Field(description="content key of the request, as in the response store")


class Verification(_Record):
    """The rule that decides whether an answer is right; `tasks.teacher.verify` applies it."""

    verifier: str
    answer: str
    choices: tuple[str, ...] = ()


class Quality(_Record):
    """How near the instruction is to its nearest neighbour among the earlier ones."""

    rouge_max: float = Field(ge=0, le=1, description="ROUGE-L F1")
    nearest_id: str = ""


class Conversation(_Record):
    """One conversation and its whole lineage."""

    id: str
    messages: tuple[Message, ...] = Field(min_length=1)
    task: Task
    method: str = Field(description="how it was made, such as `self_instruct`")
    origins: tuple[Origin, ...] = ()
    teacher: TeacherInfo
    verify: Verification | None = Field(description="None: no rule can tell; never in held-out")
    quality: Quality
    split: Split
    reject_reason: str = ""


def conversation_id(messages: Iterable[Message], method: str) -> str:
    """The name of a conversation: its normalised turns and method, 32 hex digits.

    Case and spacing do not make another conversation; roles and order do.
    """
    turns = [[message.role, " ".join(message.content.casefold().split())] for message in messages]
    return fingerprint([method, turns])[:32]


def write_conversations(path: Path, conversations: Iterable[Conversation]) -> int:
    """Writes one canonical JSON line per conversation, in order; returns how many."""
    return write_json_lines(path, (record.model_dump(mode="json") for record in conversations))


def read_conversations(path: Path) -> Iterator[Conversation]:
    """The conversations of a file, one at a time.

    Raises:
        ValueError: naming file and line, for a line that is no conversation.
    """
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield Conversation.model_validate_json(line)
            except ValidationError as error:
                fault = error.errors()[0]
                where = ".".join(str(part) for part in fault["loc"]) or "line"
                raise ValueError(
                    f"{path.name}:{number}: {where}: {fault['msg']}; "
                    "the file was written by another version, rebuild its step"
                ) from None


def write_json_lines(path: Path, records: Iterable[object]) -> int:
    """Writes plain records as canonical JSON lines; returns how many."""
    count = 0
    with path.open("wb") as file:
        for record in records:
            file.write(canonical_json(record) + b"\n")
            count += 1
    return count


def read_json_lines(path: Path) -> list[dict[str, object]]:
    """The records of a file written by `write_json_lines`."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
