from storage.conversations import (
    Conversation,
    Origin,
    Quality,
    Split,
    Task,
    TeacherInfo,
    conversation_id,
)
from tasks.instructions.conflicts import reject_conflicts, reject_crossing
from tasks.instructions.control import shuffle_passages
from tasks.instructions.rows import input_of, turns


def row(
    input_: str,
    output: str,
    *,
    instruction: str = "Is it warm?",
    family: str = "",
    cluster: str = "c",
    split: Split = "train",
) -> Conversation:
    messages = turns(instruction, input_, output)
    origin = Origin(doc_id="d", cluster=cluster, source="s", url="u", start=0, words=1)
    return Conversation(
        id=conversation_id(messages, "self_instruct"),
        messages=messages,
        task=Task(
            family=family,
            is_classification=False,
            instruction_id=instruction,
            instruction=instruction,
            round=0,
        ),
        method="self_instruct",
        origins=(origin,),
        teacher=TeacherInfo(kind="k", model="m", request="r"),
        verify=None,
        quality=Quality(rouge_max=0),
        split=split,
    )


def reasons(rows: list[Conversation]) -> list[str]:
    return [one.reject_reason for one in rows]


def test_contradictions_go_all_of_them_and_duplicates_but_the_first() -> None:
    rows = [row("30 degrees", "yes"), row("5 degrees", "no"), row("30 degrees", "no"),
            row("5  Degrees", "no"), row("5 degrees", "no")]  # fmt: skip
    found = ["contradiction", "", "contradiction", "duplicate", "duplicate"]
    assert reasons(reject_conflicts(rows)) == found
    assert [one.split for one in reject_conflicts(rows)][:2] == ["rejected", "train"]


def test_without_an_input_different_answers_are_welcome() -> None:
    assert reasons(reject_conflicts([row("", "a poem"), row("", "another poem")])) == ["", ""]


def test_other_instructions_may_say_otherwise_but_not_of_one_family() -> None:
    one, other = row("x", "yes"), row("x", "no", instruction="Is it cold?")
    assert reasons(reject_conflicts([one, other])) == ["", ""]
    one, other = row("x", "yes", family="f"), row("x", "no", instruction="Is it?", family="f")
    assert reasons(reject_conflicts([one, other])) == ["contradiction"] * 2


def test_training_rows_that_share_with_heldout_ones_are_rejected() -> None:
    rows = [
        row("a", "1", instruction="I", cluster="held", split="heldout"),
        row("b", "1", instruction="J", cluster="held"),
        row("c", "1", instruction="I", cluster="own"),
        row("d", "1", instruction="J", cluster="own"),
    ]
    assert reasons(reject_crossing(rows)) == ["", "crosses_split", "crosses_split", ""]


def test_the_control_is_a_derangement_within_each_family() -> None:
    rows = [
        row(f"{family}{number}", f"answer {number}", family=family, split="heldout")
        for family in ("f", "g")
        for number in range(5)
    ]
    rows.append(row("alone", "answer", family="h", split="heldout"))
    control = shuffle_passages(rows, seed=0)
    assert len(control) == 10
    for before, after in zip(rows, control, strict=False):
        assert input_of(before) != input_of(after)
        assert input_of(before)[0] == input_of(after)[0]
        assert before.messages[-1] == after.messages[-1]
        assert (before.id != after.id, after.split) == (True, "control")
    assert shuffle_passages(rows, seed=0) == control
    assert shuffle_passages(rows, seed=1) != control
