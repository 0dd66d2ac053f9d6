"""Gathers what the report says about instructions: who wrote them, the funnel, examples."""

from collections import Counter
from collections.abc import Iterator

from pipeline_config.report import ReportConfig
from storage.artifact import ArtifactRef
from storage.conversations import Conversation, read_conversations
from tasks.report.contents import Instructions, RejectedInstruction
from tasks.report.funnel import by_number
from tasks.report.inputs import Inputs, step_counts

STEPS = ("write-instructions", "identify-classification", "write-instances", "filter-instances")
SPLITS = ("train", "heldout", "control", "rejected")
NO_MODEL = "no language model"  # what a teacher that works by rules calls its model
ACCEPTED_SHOWN = 12
ROUGE_BINS = 20


def instructions(inputs: Inputs, config: ReportConfig) -> Instructions | None:
    """The way from seed tasks to conversations; None where none were made."""
    final = inputs.get(STEPS[-1])
    if final is None:
        return None
    steps = tuple(
        step_counts(step, "", inputs.counts(ref))
        for step in STEPS
        if (ref := inputs.get(step)) is not None
    )
    seen = _Seen()
    for conversation in _conversations(inputs, final, "train"):
        seen.add(conversation)
    rejected = list(_rejected(inputs, final))
    reasons = Counter(record.reject_reason for record in rejected)
    return Instructions(
        teacher=", ".join(sorted(seen.teachers)),
        is_language_model=NO_MODEL not in seen.models,
        steps=steps,
        accepted=tuple(sorted(seen.instructions.values())[:ACCEPTED_SHOWN]),
        rejected=tuple(
            (reason, number, _examples(rejected, reason, config.rejected_per_reason))
            for reason, number in by_number(reasons)
        ),
        splits=tuple(
            (split, sum(1 for _ in _conversations(inputs, final, split))) for split in SPLITS
        ),
        families=by_number(seen.families),
        rouge_histogram=seen.rouge_histogram(),
        examples=tuple(
            (family.replace("_", " "), prompt, answer)
            for family, (prompt, answer) in sorted(seen.first_of_family.items())
        ),
    )


class _Seen:
    """What a pass over the training conversations gathers."""

    def __init__(self) -> None:
        self.teachers: set[str] = set()
        self.models: set[str] = set()
        self.instructions: dict[str, str] = {}
        self.rouge: dict[str, float] = {}
        self.families: Counter[str] = Counter()
        self.first_of_family: dict[str, tuple[str, str]] = {}

    def add(self, conversation: Conversation) -> None:
        task, teacher = conversation.task, conversation.teacher
        self.teachers.add(f"{teacher.kind} ({teacher.model})")
        self.models.add(teacher.model)
        self.instructions[task.instruction_id] = task.instruction
        self.rouge[task.instruction_id] = conversation.quality.rouge_max
        self.families[task.family.replace("_", " ") or "free instruction"] += 1
        prompt = "\n\n".join(m.content for m in conversation.messages[:-1])
        answer = conversation.messages[-1].content
        self.first_of_family.setdefault(task.family or "free instruction", (prompt, answer))

    def rouge_histogram(self) -> tuple[tuple[float, int], ...]:
        """Instructions by ROUGE-L to their nearest earlier one."""
        bins = Counter(
            min(int(value * ROUGE_BINS), ROUGE_BINS - 1) for value in self.rouge.values()
        )
        return tuple((index / ROUGE_BINS, bins[index]) for index in range(ROUGE_BINS))


def _conversations(inputs: Inputs, ref: ArtifactRef, split: str) -> Iterator[Conversation]:
    return read_conversations(inputs.path(ref, f"{split}.jsonl"))


def _rejected(inputs: Inputs, ref: ArtifactRef) -> Iterator[Conversation]:
    return _conversations(inputs, ref, "rejected")


def _examples(
    rejected: list[Conversation], reason: str, most: int
) -> tuple[RejectedInstruction, ...]:
    """The rejected conversations of one reason with the smallest ids."""
    chosen = sorted((r for r in rejected if r.reject_reason == reason), key=lambda r: r.id)[:most]
    return tuple(
        RejectedInstruction(
            reason,
            "\n".join(message.content for message in record.messages),
            rouge=record.quality.rouge_max or None,
        )
        for record in chosen
    )
