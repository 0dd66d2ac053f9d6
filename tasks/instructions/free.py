"""Examples of free instructions: a language model makes input and answer, and no rule checks them.

Where the configuration lets passages leave for the teacher, every request brings one as material.
"""

import math
from collections.abc import Sequence

from storage.conversations import Conversation
from tasks.instructions.asking import Job, note_response
from tasks.instructions.parsing import Example, parse_examples
from tasks.instructions.passages import Cut, Passage, Shelf, passage_anywhere
from tasks.instructions.prompts import ask_instances
from tasks.instructions.records import Instruction
from tasks.instructions.rows import Source, conversation
from tasks.instructions.skills import INSTANCES
from tasks.teacher.exchange import Params, Request, Response, Teacher, generator

MATERIAL = Cut(min_words=80, max_words=160, max_chars=2000)  # enough for a question about it
TOGETHER = 256  # requests handed to the teacher at once; between them, progress is told
DRAWS = 10  # places looked at for one passage


def answer_free(
    job: Job, rows: Sequence[Instruction], shelf: Shelf | None, teacher: Teacher
) -> list[Conversation]:
    """About `per_instruction` examples of each instruction; no material without a shelf."""
    asked = []
    size = job.config.examples_per_request
    for row in rows:
        for index in range(math.ceil(job.config.per_instruction / size)):
            passage = _material(shelf, (job.seed, row.text, index))
            wanted = min(size, job.config.per_instruction - index * size)
            asked.append((row, passage, _request(job, row, passage, wanted, index)))
    made: list[Conversation] = []
    for start in range(0, len(asked), TOGETHER):
        some = asked[start : start + TOGETHER]
        responses = teacher.answer([request for _, _, request in some])
        for (row, passage, _), response in zip(some, responses, strict=True):
            source = Source((passage,) if passage else ())
            for example, reason in _read(response, answered=note_response(job.build, response)):
                made.append(conversation(row, example, source, teacher, response, reason))
        job.build.progress(start + len(some), len(asked), "requests")
    return made


def invalid(example: Example) -> str:
    """Why an unverified example is unusable, or ""; the reference's rules."""
    if not example.output:
        return "empty_output"
    if example.output == example.input:
        return "copied_input"
    unfinished = example.output.endswith(":") or example.input.endswith(":")
    return "unfinished" if unfinished else ""


def _request(
    job: Job, row: Instruction, passage: Passage | None, wanted: int, index: int
) -> Request:
    messages = ask_instances(
        row.text,
        is_classification=bool(row.is_classification),
        wanted=wanted,
        seeds=job.seeds,
        material=[passage.text] if passage else [],
        seed=job.seed,
    )
    return Request(
        INSTANCES, messages, Params(max_tokens=job.max_tokens), job.seed, sample_index=index
    )


def _read(response: Response, *, answered: bool) -> list[tuple[Example, str]]:
    """The examples of an answer, each with the reason why it is no good, if any."""
    if not answered:
        return [(Example("", None), "unanswered")]
    truncated = response.finish_reason == "length"
    examples = parse_examples(response.text, truncated=truncated)
    read = [(example, invalid(example)) for example in examples]
    if truncated:
        read.append((Example("", None), "truncated"))
    return read or [(Example("", None), "missing")]


def _material(shelf: Shelf | None, name: tuple[object, ...]) -> Passage | None:
    if shelf is None:
        return None
    rng = generator("material", *name)
    for _ in range(DRAWS):
        document = shelf.any_document(rng)
        passage = document and passage_anywhere(document, MATERIAL, rng)
        if passage:
            return passage
    return None
