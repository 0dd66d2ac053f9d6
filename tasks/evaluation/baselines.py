"""What baselines reach on the questions that the chat model will be asked.

conversations -> baselines.json:

    families: {family: {number, correct: {majority, naive_bayes, logistic_regression}}, …}
    control:  {family: {number, correct: {majority}}, …}

The majority answer and both word classifiers learn, per family, from `train.jsonl`, and answer the
held-out questions. The control set has other passages under the same questions, so nobody can do
better than its own most frequent answer, which is its baseline.
"""

from collections.abc import Callable

from pipeline_config.evaluation import ChatEvaluationConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from tasks.evaluation.questions import Question, by_family, read_questions
from tasks.evaluation.words import WordClassifier, majority
from tasks.teacher.verify import verify

CLASSIFIERS = ("naive_bayes", "logistic_regression")
Table = dict[str, dict[str, object]]


def baselines(build: Build, instructions: ArtifactRef, config: ChatEvaluationConfig) -> None:
    """Adds `baselines.json`.

    Raises:
        ValueError: when there is no held-out question.
    """
    limit = config.max_prompts_per_family
    train = by_family(read_questions(build.path(instructions, "train.jsonl")))
    heldout = read_questions(build.path(instructions, "heldout.jsonl"))
    control = read_questions(build.path(instructions, "control.jsonl"))
    asked = by_family(heldout, limit)
    if not asked:
        raise ValueError("heldout.jsonl has no question that a rule verifies")
    table = {
        "families": judge(train, asked, build.progress),
        "control": judge_control(by_family(control, limit)),
    }
    build.counts.read = len(heldout) + len(control)
    build.counts.kept = sum(len(questions) for questions in asked.values())
    build.counts.extra.update(table)
    build.add_json("baselines.json", table)


def judge(
    train: dict[str, list[Question]],
    asked: dict[str, list[Question]],
    on_progress: Callable[[int, int, str], None] = lambda *_: None,
) -> Table:
    """Right answers of each baseline per family; a family never trained on gets none right."""
    table: Table = {}
    for done, (family, questions) in enumerate(asked.items()):
        on_progress(done, len(asked), "families")
        examples = train.get(family, [])
        correct = dict.fromkeys(("majority", *CLASSIFIERS), 0)
        if examples:
            prompts = [question.text for question in examples]
            answers = [question.rule.answer for question in examples]
            guesses = {"majority": [majority(answers)] * len(questions)}
            for kind in CLASSIFIERS:
                classifier = WordClassifier(prompts, answers, kind)
                guesses[kind] = classifier.guess([question.text for question in questions])
            correct = {name: count_right(questions, said) for name, said in guesses.items()}
        table[family] = {"number": len(questions), "correct": correct}
    return table


def judge_control(asked: dict[str, list[Question]]) -> Table:
    """Right answers per family for whoever always gives the control's most frequent answer."""
    table: Table = {}
    for family, questions in asked.items():
        said = majority([question.rule.answer for question in questions])
        correct = {"majority": count_right(questions, [said] * len(questions))}
        table[family] = {"number": len(questions), "correct": correct}
    return table


def count_right(questions: list[Question], answers: list[str]) -> int:
    """How many answers the rules of the questions accept."""
    pairs = zip(questions, answers, strict=True)
    return sum(verify(question.rule, answer) for question, answer in pairs)
