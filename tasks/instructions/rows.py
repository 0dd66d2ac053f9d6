"""Builds the conversation of one example, and reads its parts back."""

from dataclasses import dataclass

from storage.conversations import (
    Conversation,
    Message,
    Origin,
    Quality,
    Task,
    TeacherInfo,
    Verification,
    conversation_id,
)
from tasks.instructions.parsing import Example
from tasks.instructions.passages import Passage
from tasks.instructions.records import Instruction
from tasks.teacher.exchange import Response, Teacher
from tasks.teacher.fence import defuse
from tasks.teacher.verify import Rule

METHOD = "self_instruct"
BETWEEN = "\n\n"  # the instruction and its input


@dataclass(frozen=True, slots=True)
class Source:
    """What an example rests on: its passages, and its rule if it has one."""

    passages: tuple[Passage, ...] = ()
    rule: Rule | None = None


def conversation(
    row: Instruction,
    example: Example,
    source: Source,
    teacher: Teacher,
    response: Response,
    reason: str,
) -> Conversation:
    """One example as a conversation of two turns; a rejected one may have an empty answer.

    Chat control tokens are broken here too: a language model may write them.
    """
    output = defuse(example.output or "")
    messages = turns(row.text, defuse(example.input), output)
    rule = source.rule
    return Conversation(
        id=conversation_id(messages, METHOD),
        messages=messages,
        task=Task(
            family=row.family,
            is_classification=bool(row.is_classification),
            label=output if row.is_classification else "",
            instruction_id=row.id,
            instruction=row.text,
            round=row.round,
        ),
        method=METHOD,
        origins=tuple(map(_origin, source.passages)),
        teacher=TeacherInfo(kind=teacher.kind, model=teacher.model, request=response.key),
        verify=rule
        and Verification(verifier=rule.verifier, answer=rule.answer, choices=rule.choices),
        quality=Quality(rouge_max=row.rouge_max, nearest_id=row.nearest_id),
        split="rejected" if reason else "heldout" if row.split == "heldout" else "train",
        reject_reason=reason,
    )


def turns(instruction: str, input_: str, output: str) -> tuple[Message, ...]:
    """The question, untrained, and the answer, trained."""
    asked = f"{instruction}{BETWEEN}{input_}" if input_ else instruction
    return (
        Message(role="user", content=asked, trained=False),
        Message(role="assistant", content=output, trained=True),
    )


def input_of(one: Conversation) -> str:
    """The input that follows the instruction in the question; may be empty."""
    return one.messages[0].content.removeprefix(one.task.instruction).removeprefix(BETWEEN)


def output_of(one: Conversation) -> str:
    """The answer."""
    return one.messages[-1].content


def with_reason(one: Conversation, reason: str) -> Conversation:
    """The same, rejected."""
    return one.model_copy(update={"split": "rejected", "reject_reason": reason})


def _origin(passage: Passage) -> Origin:
    document = passage.document
    return Origin(
        doc_id=document.id,
        cluster=document.cluster,
        source=document.source,
        url=document.url,
        licence=document.licence,
        start=passage.start,
        words=passage.words,
    )
