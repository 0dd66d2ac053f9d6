"""The teachers that this stage asks: the procedural one for the families, a language model besides.

Whoever wrote an instruction also answers it: the procedural teacher knows the families only, and a
language model is not paid for what a rule does.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline_config.instructions import InstancesConfig
from pipeline_config.teacher import TeacherConfig
from storage.build import Build
from tasks.instructions.seeds import SeedTask
from tasks.instructions.skills import skills
from tasks.teacher.exchange import Response, Teacher
from tasks.teacher.opening import openai_teacher
from tasks.teacher.procedural import ProceduralTeacher

RESPONSES = "responses.sqlite"  # beside the store, shared by all its steps and runs


@contextlib.contextmanager
def teachers(
    build: Build, families: Sequence[str], config: TeacherConfig
) -> Iterator[dict[str, Teacher]]:
    """The teachers by kind, in the order in which they write.

    Raises:
        ValueError: when the configuration leaves nobody.
    """
    found: dict[str, Teacher] = {}
    with contextlib.ExitStack() as stack:
        if families:
            procedural = ProceduralTeacher(skills(families, config.fault_share))
            found[procedural.kind] = procedural
        if config.kind == "openai":
            path = build.store.side / RESPONSES
            asked = stack.enter_context(openai_teacher(config, path, build.recipe))
            found[asked.kind] = asked
        if not found:
            raise ValueError(
                "nobody can write instructions: teacher.kind is procedural, and "
                "instructions.bootstrap.families is empty; name families, or set teacher.kind "
                "to openai"
            )
        yield found


def note_response(build: Build, response: Response) -> bool:
    """Counts what a response cost and the faults made in it; whether it is an answer."""
    figures = build.counts.extra
    if response.error:
        failed = figures.setdefault("unanswered", {})
        failed[response.error] = failed.get(response.error, 0) + 1
        return False
    asked = figures.setdefault("answers", {})
    asked[response.model] = asked.get(response.model, 0) + 1
    if response.prompt_tokens + response.completion_tokens:
        tokens = figures.setdefault("tokens", {"prompt": 0, "completion": 0})
        tokens["prompt"] += response.prompt_tokens
        tokens["completion"] += response.completion_tokens
    made = figures.setdefault("faults_made", {})
    for fault in response.faults:
        made[fault] = made.get(fault, 0) + 1
    return True


@dataclass(frozen=True)
class Job:
    """What every part of writing instances reads."""

    build: Build
    config: InstancesConfig
    seeds: list[SeedTask]
    max_tokens: int  # of one answer
    seed: int
