"""The verifiable questions of a file of conversations: the same ones for model and baselines."""

from dataclasses import dataclass
from pathlib import Path

from storage.conversations import Verification, read_conversations


@dataclass(frozen=True, slots=True)
class Question:
    """The turns before the answer, and the rule that knows it."""

    id: str
    family: str
    turns: tuple[tuple[str, str], ...]  # (role, content)
    rule: Verification

    @property
    def text(self) -> str:
        """What the user says."""
        return "\n\n".join(content for role, content in self.turns if role == "user")


def read_questions(path: Path) -> list[Question]:
    """The conversations that a rule can verify, ordered by id.

    Ids are hashes of what is said, so their first ones are as good as drawn at random.
    """
    found = [
        Question(
            id=conversation.id,
            family=conversation.task.family,
            turns=tuple((turn.role, turn.content) for turn in conversation.messages[:-1]),
            rule=conversation.verify,
        )
        for conversation in read_conversations(path)
        if conversation.verify is not None and conversation.messages[-1].role == "assistant"
    ]
    return sorted(found, key=lambda question: question.id)


def by_family(
    questions: list[Question], max_per_family: int | None = None
) -> dict[str, list[Question]]:
    """The first questions of each family, or all; families in the order of the alphabet."""
    families: dict[str, list[Question]] = {}
    for question in questions:
        families.setdefault(question.family, []).append(question)
    return {family: families[family][:max_per_family] for family in sorted(families)}
