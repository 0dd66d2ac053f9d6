"""What is asked of a teacher and what comes back; every backend speaks these types.

A request has a content key: two requests with the same key are the same question, so an answer
that was paid for once is never asked for again. Where the teacher lives (base URL, key, run) is
not part of it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "content_filter", "error"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a prompt."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Params:
    """How to sample. At most four stop strings: the usual limit of chat endpoints."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a teacher.

    `vars` is what the prompt was made from. It travels beside the prompt to in-process teachers
    only: it is never sent anywhere and is no part of the key.
    """

    purpose: str
    messages: tuple[Turn, ...]
    params: Params = Params()
    seed: int = 0
    sample_index: int = 0  # 0, 1, … for several answers to one prompt
    vars: Mapping[str, object] = field(default_factory=dict)

    def key(self, model: str) -> str:
        """The name of this question put to `model`: sha256, 64 hex digits."""
        content = {
            "purpose": self.purpose,
            "messages": [[turn.role, turn.content] for turn in self.messages],
            "model": model,
            "params": [
                self.params.temperature,
                self.params.top_p,
                self.params.max_tokens,
                list(self.params.stop),
            ],
            "seed": self.seed,
            "sample_index": self.sample_index,
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, or the reason why there is none (`finish_reason == "error"`)."""

    key: str
    text: str
    finish_reason: FinishReason
    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    error: str = ""  # a reason code, such as "budget"
    faults: tuple[str, ...] = ()  # what a procedural teacher got wrong on purpose


class Teacher(Protocol):
    """Answers requests in their order; `kind` and `model` label everything it wrote."""

    @property
    def kind(self) -> str:
        """The backend with its version, such as `procedural/1`."""
        ...

    @property
    def model(self) -> str:
        """The model's name, or `no language model`."""
        ...

    def answer(self, requests: Sequence[Request]) -> list[Response]:
        """One response per request, in order."""
        ...


class TeacherError(RuntimeError):
    """No teacher can be reached, or it refuses us; what it answered so far is stored."""


def generator(*parts: object) -> np.random.Generator:
    """A random generator that depends on `parts` alone: run seed, step, item."""
    text = "\x1f".join(str(part) for part in parts)
    digest = hashlib.blake2b(text.encode("utf-8", errors="surrogatepass"), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


def cut_at_stop(text: str, stop: Sequence[str]) -> str:
    r"""`text` up to the first stop string; some servers ignore `stop`.

    >>> cut_at_stop("1. Sort.\n\nNote", ["\n\n"])
    '1. Sort.'
    """
    ends = [text.find(mark) for mark in stop if mark and mark in text]
    return text[: min(ends)] if ends else text
