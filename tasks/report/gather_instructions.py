"""Gathers what the report says about instructions: who wrote them, the funnel, examples."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from pipeline_config.report import ReportConfig
from storage.artifact import ArtifactRef
from storage.conversations import Conversation, read_conversations, read_json_lines
from tasks.report.contents import Instructions, RejectedText, Rejections, TeacherShare
from tasks.report.examples import spread
from tasks.report.funnel import by_number
from tasks.report.inputs import Inputs, step_counts

WRITE, INSTANCES, FILTER = "write-instructions", "write-instances", "filter-instances"
STEPS = (WRITE, "identify-classification", INSTANCES, FILTER)
SPLITS = ("train", "heldout", "control", "rejected")
NO_MODEL = "no language model"  # what a teacher that works by rules calls its model
FREE = "free instruction"
ACCEPTED_SHOWN = 12
ROUGE_BINS = 20


def instructions(inputs: Inputs, config: ReportConfig) -> Instructions | None:
    """The way from seed tasks to conversations; None where none were written."""
    written, filtered = inputs.get(WRITE), inputs.get(FILTER)
    if written is None or filtered is None:
        return None
    accepted = read_json_lines(inputs.path(written, "instructions.jsonl"))
    rejected = read_json_lines(inputs.path(written, "rejected.jsonl"))
    train = list(read_conversations(inputs.path(filtered, "train.jsonl")))
    families = Counter(_family(conversation) for conversation in train)
    return Instructions(
        teachers=_teachers(accepted),
        steps=tuple(
            step_counts(step, "", inputs.counts(ref))
            for step in STEPS
            if (ref := inputs.get(step)) is not None
        ),
        accepted=tuple(
            str(accepted[index]["text"]) for index in spread(len(accepted), ACCEPTED_SHOWN)
        ),
        rejected=(
            *_rejected_instructions(inputs, written, rejected, config),
            *_rejected_conversations(inputs, filtered, config),
        ),
        splits=tuple((split, _lines(inputs, filtered, split)) for split in SPLITS),
        families=by_number(families),
        max_rouge=_max_rouge(inputs, written),
        rouge_histogram=rouge_histogram([*accepted, *rejected]),
        identical=sum(row["rouge_max"] == 1 for row in rejected),
        examples=_one_of_each_family(train),
    )


def rouge_histogram(rows: Iterable[dict[str, Any]]) -> tuple[tuple[float, int], ...]:
    """Instructions by ROUGE-L to the nearest earlier one, in bins of 0.05 below 1.

    Those that were never compared, because another filter was first, are left out.
    """
    values = [float(row["rouge_max"]) for row in rows if row["nearest_id"]]
    bins = Counter(int(value * ROUGE_BINS + 1e-9) for value in values if value < 1)
    return tuple((index / ROUGE_BINS, bins[index]) for index in range(ROUGE_BINS)) if bins else ()


def _teachers(accepted: list[dict[str, Any]]) -> tuple[TeacherShare, ...]:
    written = Counter((str(row["teacher"]), str(row["model"])) for row in accepted)
    return tuple(
        TeacherShare(kind if model == NO_MODEL else f"{model} ({kind})", model != NO_MODEL, number)
        for (kind, model), number in sorted(written.items())
    )


def _rejected_instructions(
    inputs: Inputs, ref: ArtifactRef, rejected: list[dict[str, Any]], config: ReportConfig
) -> list[Rejections]:
    """One group per reason that was counted; not every rejected text was kept aside."""
    groups = []
    for reason, number in by_number(inputs.counts(ref).dropped):
        own = [row for row in rejected if row["reason"] == reason]
        # The most similar ones first: they show where the threshold bites.
        own.sort(key=lambda row: (-float(row["rouge_max"]), str(row["id"])))
        shown = tuple(
            RejectedText(
                str(own[index]["text"]),
                str(own[index]["nearest"]),
                float(own[index]["rouge_max"]) if own[index]["nearest"] else None,
            )
            for index in spread(len(own), config.rejected_per_reason)
        )
        groups.append(Rejections(WRITE, reason, number, shown))
    return groups


def _rejected_conversations(
    inputs: Inputs, ref: ArtifactRef, config: ReportConfig
) -> list[Rejections]:
    """One group per reason that the two last steps counted; shown are the smallest ids."""
    by_reason: dict[str, list[Conversation]] = {}
    for conversation in read_conversations(inputs.path(ref, "rejected.jsonl")):
        by_reason.setdefault(conversation.reject_reason, []).append(conversation)
    groups = []
    for step in (INSTANCES, FILTER):
        made = inputs.get(step)
        for reason, number in by_number(inputs.counts(made).dropped if made else {}):
            own = sorted(by_reason.get(reason, []), key=lambda conversation: conversation.id)
            shown = tuple(_turns(one) for one in own[: config.rejected_per_reason])
            groups.append(Rejections(step, reason, number, shown))
    return groups


def _turns(conversation: Conversation) -> RejectedText:
    return RejectedText("\n→ ".join(message.content for message in conversation.messages))


def _one_of_each_family(train: list[Conversation]) -> tuple[tuple[str, str, str], ...]:
    first: dict[str, Conversation] = {}
    for conversation in sorted(train, key=lambda c: c.id):
        first.setdefault(_family(conversation), conversation)
    return tuple(
        (
            family,
            "\n\n".join(message.content for message in first[family].messages[:-1]),
            first[family].messages[-1].content,
        )
        for family in sorted(first)
    )


def _family(conversation: Conversation) -> str:
    return conversation.task.family.replace("_", " ") or FREE


def _lines(inputs: Inputs, ref: ArtifactRef, split: str) -> int:
    with inputs.path(ref, f"{split}.jsonl").open("rb") as file:
        return sum(1 for _ in file)


def _max_rouge(inputs: Inputs, ref: ArtifactRef) -> float:
    config = inputs.build.manifest(ref).ingredients["in"].get("config", {})
    return float(config.get("max_rouge", 0.0))
