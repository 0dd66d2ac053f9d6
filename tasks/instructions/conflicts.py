"""The filters on finished instances, across all of them."""

from collections.abc import Sequence

from storage.conversations import Conversation
from tasks.instructions.rows import input_of, output_of, with_reason


def reject_conflicts(rows: Sequence[Conversation]) -> list[Conversation]:
    """Rejects contradictions and duplicates, in the order of the rows.

    Instances of one family, or of one free instruction, that give the same non-empty input
    different answers contradict each other: all of them go, since nobody knows which is right. Of
    instances that are the same in all but case and spacing, the first stays.

    Two rows "Is it warm?" / "30 degrees" -> "yes" and -> "no" are both rejected.
    """
    answers: dict[tuple[str, str], set[str]] = {}
    for one in rows:
        answers.setdefault(_question(one), set()).add(output_of(one))
    seen: set[str] = set()
    judged = []
    for one in rows:
        if input_of(one) and len(answers[_question(one)]) > 1:
            judged.append(with_reason(one, "contradiction"))
        elif one.id in seen:
            judged.append(with_reason(one, "duplicate"))
        else:
            seen.add(one.id)
            judged.append(one)
    return judged


def reject_crossing(rows: Sequence[Conversation]) -> list[Conversation]:
    """Rejects training rows that share a document cluster or an instruction with held-out ones.

    Instances are written for one side or the other, so this finds nothing unless a teacher or a
    later stage mixes them; it is what makes the split a fact rather than an intention.
    """
    heldout = [one for one in rows if one.split == "heldout"]
    clusters = {origin.cluster for one in heldout for origin in one.origins}
    instructions = {one.task.instruction for one in heldout}
    judged = []
    for one in rows:
        if one.split == "train" and (
            one.task.instruction in instructions
            or any(origin.cluster in clusters for origin in one.origins)
        ):
            one = with_reason(one, "crosses_split")
        judged.append(one)
    return judged


def _question(one: Conversation) -> tuple[str, str]:
    """What instances must agree on: one question of one family or free instruction."""
    return one.task.family or one.task.instruction_id, input_of(one)
