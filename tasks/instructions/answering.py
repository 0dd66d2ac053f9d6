"""Has the questions of families answered and verified, and asks again what failed."""

from collections.abc import Iterator, Sequence

from storage.conversations import Conversation
from tasks.instructions.asking import Job, note_response
from tasks.instructions.drafting import Slot
from tasks.instructions.parsing import Example, parse_examples
from tasks.instructions.prompts import ask_instances
from tasks.instructions.rows import Source, conversation
from tasks.instructions.skills import INSTANCES
from tasks.teacher.exchange import Params, Request, Response, Teacher
from tasks.teacher.verify import verify


def answer_slots(job: Job, slots: Sequence[Slot], teacher: Teacher) -> list[Conversation]:
    """The verified conversations in the order of their questions, then the failed attempts."""
    done: dict[int, Conversation] = {}
    failed: list[Conversation] = []
    for attempt in range(job.config.max_attempts):
        waiting = [at for at in range(len(slots)) if at not in done]
        batches = list(_batches(slots, waiting, job.config.examples_per_request))
        requests = [_request(job, [slots[at] for at in batch], attempt) for batch in batches]
        for batch, response in zip(batches, teacher.answer(requests), strict=True):
            examples, absent = _read(response, answered=note_response(job.build, response))
            for index, at in enumerate(batch):
                slot = slots[at]
                example = Example(slot.draft.input, None)
                reason = absent
                if index < len(examples):
                    example = examples[index]
                    reason = fault(slot, example)
                source = Source(slot.draft.passages, slot.draft.rule)
                one = conversation(slot.instruction, example, source, teacher, response, reason)
                if reason:
                    failed.append(one)
                else:
                    done[at] = one
        job.build.progress(len(done), len(slots), "instances")
        if len(done) == len(slots):
            break
    return [done[at] for at in sorted(done)] + failed


def fault(slot: Slot, example: Example) -> str:
    """Why an answer to a family's question is rejected, or ""."""
    if not example.output:
        return "empty_output"
    if example.output == example.input:
        return "copied_input"
    if example.input != slot.draft.input:
        return "other_input"
    return "" if verify(slot.draft.rule, example.output) else "wrong_answer"


def _read(response: Response, *, answered: bool) -> tuple[list[Example], str]:
    """The examples of an answer, and the reason of those that it does not have."""
    if not answered:
        return [], "unanswered"
    truncated = response.finish_reason == "length"
    examples = parse_examples(response.text, truncated=truncated)
    return examples, "truncated" if truncated else "missing"


def _batches(slots: Sequence[Slot], waiting: Sequence[int], size: int) -> Iterator[list[int]]:
    """Positions of slots of one instruction each, at most `size` together, in order."""
    batch: list[int] = []
    for at in waiting:
        same = bool(batch) and slots[batch[0]].instruction.id == slots[at].instruction.id
        if batch and (len(batch) == size or not same):
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch


def _request(job: Job, batch: Sequence[Slot], attempt: int) -> Request:
    row = batch[0].instruction
    inputs = [slot.draft.input for slot in batch]
    label_first = bool(row.is_classification)
    messages = ask_instances(
        row.text,
        is_classification=label_first,
        wanted=len(batch),
        seeds=job.seeds,
        inputs=inputs,
        seed=job.seed,
    )
    answers = [slot.draft.rule.answer for slot in batch]
    return Request(
        INSTANCES,
        messages,
        Params(max_tokens=job.max_tokens),
        job.seed,
        sample_index=attempt,
        vars={"inputs": inputs, "answers": answers, "label_first": label_first},
    )
