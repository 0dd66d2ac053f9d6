"""A teacher that is no language model: rules answer, in the text format a model would use.

A stage hands in its skills, one function per purpose; this backend only deals out randomness that
depends on the request alone. Skills make a known share of mistakes on purpose and say so in
`faults`, so that parsers and filters have real work whose outcome can be checked against truth.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.teacher.exchange import FinishReason, Request, Response, generator


@dataclass(frozen=True, slots=True)
class Answer:
    """What a skill says, and the mistakes in it that it made on purpose."""

    text: str
    finish_reason: FinishReason = "stop"
    faults: tuple[str, ...] = ()


Skill = Callable[[Request, np.random.Generator], Answer]


class ProceduralTeacher:
    """Answers by rule; everything it writes is labelled `procedural/1 (no language model)`."""

    kind = "procedural/1"
    model = "no language model"

    def __init__(self, skills: Mapping[str, Skill]) -> None:
        """`skills` answer requests by their purpose."""
        self._skills = skills

    def answer(self, requests: Sequence[Request]) -> list[Response]:
        """One response per request, in order."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Response:
        key = request.key(self.model)
        answer = self._skills[request.purpose](request, generator(key))
        return Response(key, answer.text, answer.finish_reason, self.model, faults=answer.faults)
