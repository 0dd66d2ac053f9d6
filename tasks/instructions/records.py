"""The instruction records that the steps of this stage pass on, a JSON line each."""

from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction that a teacher wrote, with what became of it."""

    id: str
    text: str
    teacher: str  # kind, such as procedural/1
    model: str
    request: str  # content key of the request that brought it
    round: int
    family: str = ""  # the rule family it phrases; empty for a free instruction
    rouge_max: float = 0.0  # ROUGE-L F1 to the nearest of the seeds and the earlier instructions
    nearest_id: str = ""
    nearest: str = ""
    reason: str = ""  # why it was rejected; empty when accepted
    is_classification: bool | None = None  # None until asked
    split: str = ""  # train or heldout, once instances are written

    def row(self) -> dict[str, Any]:
        """Plain values, as stored."""
        return asdict(self)

    def with_answer(self, is_classification: bool) -> "Instruction":
        """The same, once it is known whether the task is classification."""
        return replace(self, is_classification=is_classification)


def instruction(row: dict[str, Any]) -> Instruction:
    """The record of a stored row."""
    return Instruction(**row)
