"""How the procedural teacher answers this stage's three questions: by rule, as text.

It goes through the phrasings of the chosen families in a seeded order, answers Yes or No by the
family, and writes the examples it was given with their right answers. A share of everything is
wrong on purpose, and said so in `faults`; the filters must find each of them.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tasks.instructions.families.catalog import FAMILIES, recognise
from tasks.instructions.prompts import example
from tasks.teacher.exchange import Request, generator
from tasks.teacher.procedural import Answer, Skill

WRITE, IDENTIFY, INSTANCES = "write_instructions", "identify_classification", "write_instances"


def skills(families: Sequence[str], fault_share: float) -> Mapping[str, Skill]:
    """The skills of a procedural teacher that knows these families."""
    order = sorted(families)  # a set of families, in whatever order it was configured

    def write(request: Request, rng: np.random.Generator) -> Answer:
        return write_instructions(request, rng, order, fault_share)

    def identify(request: Request, rng: np.random.Generator) -> Answer:
        return identify_classification(request, rng, order, fault_share)

    def instances(request: Request, rng: np.random.Generator) -> Answer:
        return write_instances(request, rng, fault_share)

    return {WRITE: write, IDENTIFY: identify, INSTANCES: instances}


# ---- step 1: a numbered list


def write_instructions(
    request: Request, rng: np.random.Generator, families: Sequence[str], fault_share: float
) -> Answer:
    """The next phrasings, as the numbered list that the prompt asks to be continued.

    `request.vars`: `shown`, the instructions in the prompt; `wanted`; `ordinal`, how many
    requests came before.
    """
    shown, wanted = _texts(request, "shown"), _number(request, "wanted")
    phrasings = _in_turn(families, request.seed)
    start = _number(request, "ordinal") * wanted
    texts, faults = [], []
    for index in range(start, start + wanted):
        text = phrasings[index % len(phrasings)]
        if rng.random() < fault_share:
            fault, spoil = _pick(rng, _INSTRUCTION_FAULTS)
            text = spoil(text, shown)
            faults.append(fault)
        texts.append(text)
    answer = "\n".join(f"{len(shown) + 1 + at}. {text}" for at, text in enumerate(texts))
    if rng.random() < fault_share:
        cut = answer[: -max(1, len(texts[-1]) // 2)]
        return Answer(cut, "length", (*faults, "truncated"))
    return Answer(answer, faults=tuple(faults))


def _in_turn(families: Sequence[str], seed: int) -> list[str]:
    """All phrasings in a seeded order that visits the families in turn, so none falls behind."""
    columns = []
    for name in families:
        rng = generator("phrasings", seed, name)
        columns.append([str(text) for text in rng.permutation(FAMILIES[name].phrasings)])
    longest = max(map(len, columns))
    return [column[at] for at in range(longest) for column in columns if at < len(column)]


def _copied(_: str, shown: Sequence[str]) -> str:
    return shown[0]


def _blacklisted(_: str, __: Sequence[str]) -> str:
    return "Draw a picture of what the passage is about."


def _punctuated(text: str, _: Sequence[str]) -> str:
    return f"- {text}"


def _shortened(text: str, _: Sequence[str]) -> str:
    return " ".join(text.split()[:2])


_INSTRUCTION_FAULTS: tuple[tuple[str, Callable[[str, Sequence[str]], str]], ...] = (
    ("copied", _copied),
    ("blacklisted", _blacklisted),
    ("punctuated", _punctuated),
    ("shortened", _shortened),
)


# ---- step 2: yes or no


def identify_classification(
    request: Request, rng: np.random.Generator, families: Sequence[str], fault_share: float
) -> Answer:
    """Yes or No by the family; sometimes no answer at all. `request.vars`: `instruction`."""
    family = recognise(str(request.vars["instruction"]), families)
    if rng.random() < fault_share:
        return Answer("It depends on the input.", faults=("unclear",))
    return Answer("Yes" if family is not None and family.is_classification else "No")


# ---- step 3: examples


def write_instances(request: Request, rng: np.random.Generator, fault_share: float) -> Answer:
    """The given examples in the text format of step 3.

    `request.vars`: `inputs`; `answers`, the right ones; `label_first`.
    """
    inputs, answers = _texts(request, "inputs"), _texts(request, "answers")
    label_first = bool(request.vars["label_first"])
    parts, faults = [], []
    for at, (given, answer) in enumerate(zip(inputs, answers, strict=True)):
        shown, said = given, answer
        if rng.random() < fault_share:
            fault = str(rng.choice(("wrong_answer", "empty_output", "copied_input", "other_input")))
            faults.append(fault)
            wrong = next((other for other in answers if other != answer), f"not {answer}")
            said = {"wrong_answer": wrong, "empty_output": "", "copied_input": given}.get(
                fault, answer
            )
            shown = f"{given} etc." if fault == "other_input" else given
        parts.append(example(at + 1, shown, said, label_first))
    text = "\n\n".join(parts)
    if rng.random() < fault_share:
        return Answer(text[: -max(1, len(parts[-1]) // 3)], "length", (*faults, "truncated"))
    return Answer(text, faults=tuple(faults))


def _texts(request: Request, name: str) -> list[str]:
    value = request.vars[name]
    assert isinstance(value, list | tuple)
    return [str(text) for text in value]


def _number(request: Request, name: str) -> int:
    value = request.vars[name]
    assert isinstance(value, int)
    return value


def _pick(
    rng: np.random.Generator, items: Sequence[tuple[str, Callable[[str, Sequence[str]], str]]]
) -> tuple[str, Callable[[str, Sequence[str]], str]]:
    return items[int(rng.integers(len(items)))]
