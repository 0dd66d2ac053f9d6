"""The procedural teacher: right answers that parse, and faults that the filters find."""

from collections import Counter

from tasks.instructions.families.catalog import FAMILIES, recognise
from tasks.instructions.filters import instruction_fault, tidy
from tasks.instructions.parsing import parse_examples, parse_numbered, parse_yes_no
from tasks.instructions.prompts import ask_classification, ask_instances, ask_instructions
from tasks.instructions.seeds import OWN_SEED_TASKS, load_seed_tasks
from tasks.instructions.skills import IDENTIFY, INSTANCES, WRITE, skills
from tasks.teacher.exchange import Request, Response
from tasks.teacher.procedural import ProceduralTeacher

NAMES = ("source", "first_word")
SEEDS = load_seed_tasks(OWN_SEED_TASKS)
SHOWN = [f"Write line {number} of a poem about rivers." for number in range(8)]


def teacher(fault_share: float) -> ProceduralTeacher:
    return ProceduralTeacher(skills(NAMES, fault_share))


def written(share: float, number: int, seed: int = 0) -> list[tuple[list[str], Response]]:
    requests = [
        Request(WRITE, ask_instructions(SHOWN, 8), seed=seed, sample_index=ordinal,
                vars={"shown": SHOWN, "wanted": 8, "ordinal": ordinal})
        for ordinal in range(number)
    ]  # fmt: skip
    return [
        (parse_numbered(r.text, 9, truncated=r.finish_reason == "length"), r)
        for r in teacher(share).answer(requests)
    ]


def test_without_faults_every_phrasing_is_written_once_families_in_turn() -> None:
    texts = [text for parsed, _ in written(0, 20) for text in parsed]
    phrasings = {text for name in NAMES for text in FAMILIES[name].phrasings}
    assert set(texts[: len(phrasings)]) == phrasings
    families = [recognise(text, NAMES) for text in texts[:10]]
    assert Counter(family.name for family in families if family) == {"source": 5, "first_word": 5}


def test_the_seed_decides_the_order() -> None:
    assert written(0, 1, seed=1)[0][0] == written(0, 1, seed=1)[0][0]
    assert written(0, 1, seed=1)[0][0] != written(0, 1, seed=2)[0][0]


def test_faulty_instructions_are_just_those_that_the_filters_find() -> None:
    made: Counter[str] = Counter()
    found: Counter[str] = Counter()
    reasons = {"blacklisted": "blacklisted", "too_short": "shortened", "punctuation": "punctuated"}
    for parsed, response in written(0.3, 60):
        if "truncated" in response.faults:  # its last item, faulty or not, is cut
            assert len(parsed) == 7
            continue
        made.update(response.faults)
        for text in map(tidy, parsed):
            reason = instruction_fault(text, 4, 150)
            if reason:
                found[reasons[reason]] += 1
            elif text in SHOWN:
                found["copied"] += 1
            else:
                assert recognise(text, NAMES) is not None
    assert made == found
    assert set(made) == {"blacklisted", "shortened", "punctuated", "copied"}


def test_classification_is_answered_by_the_family() -> None:
    texts = [FAMILIES[name].phrasings[0] for name in NAMES]
    requests = [
        Request(IDENTIFY, ask_classification(text, SEEDS), vars={"instruction": text})
        for text in texts
    ]
    assert [parse_yes_no(r.text) for r in teacher(0).answer(requests)] == [True, False]
    unclear = teacher(1).answer(requests)
    assert [parse_yes_no(r.text) for r in unclear] == [None, None]
    assert unclear[0].faults == ("unclear",)


def test_examples_come_back_as_given_unless_a_fault_is_admitted() -> None:
    inputs, answers = ["First: so\nSecond: far", "and so", "of the"], ["far", "so", "the"]
    for label_first in (False, True):
        messages = ask_instances(
            "Copy the final word.",
            is_classification=label_first, wanted=3, seeds=SEEDS, inputs=inputs,
        )  # fmt: skip
        given = {"inputs": inputs, "answers": answers, "label_first": label_first}
        requests = [
            Request(INSTANCES, messages, sample_index=index, vars=given) for index in range(40)
        ]
        wrong = faults = 0
        for response in teacher(0.2).answer(requests):
            truncated = response.finish_reason == "length"
            examples = parse_examples(response.text, truncated=truncated)
            assert len(examples) == 3 - truncated
            if truncated:
                continue
            faults += len(response.faults)
            wrong += sum(
                (one.input, one.output) != pair
                for one, pair in zip(examples, zip(inputs, answers, strict=True), strict=True)
            )
        assert wrong == faults > 5
