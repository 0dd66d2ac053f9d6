"""From settings to a teacher that answers; every stage that asks one starts here."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline_config.teacher import TeacherConfig
from tasks.teacher.exchange import Teacher
from tasks.teacher.procedural import ProceduralTeacher, Skill


@contextlib.contextmanager
def procedural_teacher(skills: Mapping[str, Skill]) -> Iterator[Teacher]:
    """A teacher that answers by rule, with a stage's skills."""
    yield ProceduralTeacher(skills)


@contextlib.contextmanager
def openai_teacher(config: TeacherConfig, responses: Path, scope: str) -> Iterator[Teacher]:
    """A teacher behind an OpenAI-compatible server, closed at the end.

    Args:
        config: of kind `openai`.
        responses: file of all stored answers; shared by every step and run of a store.
        scope: the recipe of the step that asks; its budget goes on when it is resumed.
    """
    from tasks.teacher.budget import Budget
    from tasks.teacher.openai_api import Endpoint, OpenAITeacher
    from tasks.teacher.responses import ResponseStore

    endpoint = Endpoint(
        base_url=config.base_url,
        model=config.model,
        api_key_env=config.api_key_env,
        timeout_seconds=config.timeout_seconds,
        max_attempts=config.max_attempts,
        max_wait_seconds=config.max_wait_seconds,
        concurrency=config.concurrency,
    )
    store = ResponseStore(responses, scope)
    budget = Budget(config.max_requests, config.max_tokens, store.spent())
    teacher = OpenAITeacher(endpoint, store, budget)
    try:
        yield teacher
    finally:
        teacher.close()
