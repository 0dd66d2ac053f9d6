from pathlib import Path

import pytest

from storage.conversations import Verification, write_conversations
from tasks.evaluation.baselines import judge, judge_control
from tasks.evaluation.evaluate_chat import first_by_hash, grade
from tasks.evaluation.questions import Question, by_family, read_questions
from tests.tasks.lm.artifacts import conversation

CHOICES = ("yes", "no")


def ask(text: str, answer: str, family: str = "f") -> Question:
    rule = Verification(verifier="choice", answer=answer, choices=CHOICES)
    return Question(id=text, family=family, turns=(("user", text),), rule=rule)


def test_questions_are_the_turns_before_the_answer_by_id(tmp_path: Path) -> None:
    records = [conversation(f"{n} text", "yes", f"f{n % 2}", "heldout", CHOICES) for n in range(5)]
    unverified = records[0].model_copy(update={"id": "zz", "verify": None})
    write_conversations(tmp_path / "heldout.jsonl", [*records, unverified])
    found = read_questions(tmp_path / "heldout.jsonl")
    assert [question.id for question in found] == sorted(record.id for record in records)
    assert {question.text for question in found} == {f"{n} text" for n in range(5)}
    families = by_family(found, 2)
    assert {family: len(asked) for family, asked in families.items()} == {"f0": 2, "f1": 2}
    assert families["f0"] == [q for q in found if q.family == "f0"][:2]


def test_baselines_learn_from_train_only() -> None:
    train = {"f": [ask("good a", "yes"), ask("good b", "yes"), ask("bad c", "no")]}
    asked = {
        "f": [ask("good", "yes"), ask("bad", "no"), ask("bad bad", "no")],
        "new": [ask("x", "no")],
    }
    table = judge(train, asked)
    assert table["f"] == {
        "number": 3,
        "correct": {"majority": 1, "naive_bayes": 3, "logistic_regression": 3},
    }
    assert set(table["new"]["correct"].values()) == {0}


def test_control_is_measured_against_its_own_most_frequent_answer() -> None:
    table = judge_control({"f": [ask("a", "no"), ask("b", "no"), ask("c", "yes")]})
    assert table == {"f": {"number": 3, "correct": {"majority": 2}}}


def test_grade_counts_what_the_rule_accepts_and_missing_replies_as_wrong() -> None:
    questions = [ask("a", "no"), ask("b", "no"), ask("c", "yes"), ask("d", "yes")]
    reached = {"f": {"number": 4, "correct": {"majority": 2}}}
    found = grade(questions, ["No.", "yes", None, "yes or no"], reached)
    assert found["overall"]["correct"] == 1
    assert found["families"]["f"]["baseline"] == 0.5
    with pytest.raises(ValueError, match="other questions"):
        grade(questions[:3], ["no", "no", "no"], reached)


def test_samples_are_the_first_by_id() -> None:
    questions = [ask("c", "no"), ask("a", "no"), ask("b", "yes")]
    found = first_by_hash(questions, ["no", "yes", None], 2)
    assert [(row["id"], row["reply"], row["correct"]) for row in found] == [
        ("a", "yes", False),
        ("b", "", False),
    ]
