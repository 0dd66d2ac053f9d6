"""Asks a model the held-out questions and the control, and shows some of what it says.

model, conversations, baselines.json -> accuracy.json, samples.json:

    accuracy: {families: {family: score}, overall: score, control: {families, overall}}
    samples:  {heldout: [{id, family, prompt, expected, reply, correct}], free: [{prompt, reply}]}

A score (`tasks.evaluation.scores`) holds the accuracy, its standard error and the best baseline on
the same questions. Replies are greedy; a question that the model's context does not hold counts as
answered wrong. Samples are the first questions by hash, so nobody chose them.
"""

import json
from collections.abc import Mapping
from typing import Any

from pipeline_config.evaluation import ChatEvaluationConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.checkpoints import link_model
from tasks.evaluation.jobs import AnswerJob, Prompts
from tasks.evaluation.questions import Question, by_family, read_questions
from tasks.evaluation.scores import score_families
from tasks.lm.runtime import resolve_runtime
from tasks.lm.worker import run_worker
from tasks.teacher.verify import verify

Replies = list[str | None]


def evaluate_chat(
    build: Build,
    model: ArtifactRef,
    instructions: ArtifactRef,
    baselines: ArtifactRef,
    config: ChatEvaluationConfig,
) -> None:
    """Adds `accuracy.json` and `samples.json`; the accuracies go to the counts' extra."""
    limit = config.max_prompts_per_family
    heldout = _ask(build, instructions, "heldout.jsonl", limit)
    control = _ask(build, instructions, "control.jsonl", limit)
    job = AnswerJob(
        runtime=resolve_runtime(config.runtime),
        model=link_model(build, model, build.scratch / "model"),
        groups=[
            Prompts(
                prompts=[question.turns for question in heldout + control],
                max_new_tokens=config.max_new_tokens,
            ),
            Prompts(
                prompts=[(("user", prompt),) for prompt in config.sample_prompts],
                max_new_tokens=config.sample_tokens,
            ),
        ],
        batch_rows=config.batch_rows,
    )
    answered, free = run_worker(
        "tasks.evaluation.answer",
        job,
        job.runtime,
        scratch=build.scratch,
        on_progress=build.progress,
        on_log=build.log,
    )["replies"]
    reached = json.loads(build.path(baselines, "baselines.json").read_text())
    accuracy: dict[str, Any] = grade(heldout, answered[: len(heldout)], reached["families"])
    if control:
        accuracy["control"] = grade(control, answered[len(heldout) :], reached["control"])
    build.counts.read = len(answered)
    build.counts.drop("longer than the context", answered.count(None))
    build.counts.kept = len(answered) - answered.count(None)
    build.counts.extra.update(accuracy)
    build.add_json("accuracy.json", accuracy)
    samples = first_by_hash(heldout, answered, config.num_samples)
    said = [
        {"prompt": prompt, "reply": reply or ""}
        for prompt, reply in zip(config.sample_prompts, free, strict=True)
    ]
    build.add_json("samples.json", {"heldout": samples, "free": said})


def grade(
    questions: list[Question], replies: Replies, reached: Mapping[str, Mapping[str, Any]]
) -> dict[str, object]:
    """The scores of the replies, beside the baselines' right answers to the same questions."""
    correct: dict[str, tuple[int, int]] = {}
    for question, reply in zip(questions, replies, strict=True):
        right, asked = correct.get(question.family, (0, 0))
        correct[question.family] = right + is_right(question, reply), asked + 1
    for family, (_, asked) in correct.items():
        if reached[family]["number"] != asked:
            raise ValueError(f"the baselines of {family} answered other questions")
    return score_families(correct, {family: reached[family]["correct"] for family in correct})


def is_right(question: Question, reply: str | None) -> bool:
    """Whether the rule accepts a reply; None is no reply."""
    return reply is not None and verify(question.rule, reply)


def first_by_hash(questions: list[Question], replies: Replies, number: int) -> list[dict[str, Any]]:
    """The first questions by id with their replies."""
    pairs = sorted(zip(questions, replies, strict=False), key=lambda pair: pair[0].id)
    return [
        {
            "id": question.id,
            "family": question.family,
            "prompt": question.text,
            "expected": question.rule.answer,
            "reply": reply or "",
            "correct": is_right(question, reply),
        }
        for question, reply in pairs[:number]
    ]


def _ask(build: Build, instructions: ArtifactRef, name: str, limit: int) -> list[Question]:
    families = by_family(read_questions(build.path(instructions, name)), limit)
    return [question for questions in families.values() for question in questions]
