from dataclasses import replace

import numpy as np
import pytest

from tasks.teacher.exchange import Params, Request, Turn, cut_at_stop, generator
from tasks.teacher.procedural import Answer, ProceduralTeacher

REQUEST = Request("write", (Turn("user", "Hello"),), Params(0.7), seed=1)


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "judge"},
        {"messages": (Turn("user", "Hello!"),)},
        {"messages": (Turn("system", "Hello"),)},
        {"params": Params(0.8)},
        {"params": Params(0.7, stop=("x",))},
        {"seed": 2},
        {"sample_index": 1},
    ],
    ids=str,
)
def test_whatever_changes_the_answer_changes_the_key(change: dict[str, object]) -> None:
    changed = replace(REQUEST, **change)  # type: ignore[arg-type]
    assert changed.key("a") != REQUEST.key("a")


def test_the_key_hangs_on_the_model_but_not_on_vars() -> None:
    assert REQUEST.key("a") != REQUEST.key("b")
    assert replace(REQUEST, vars={"truth": 1}).key("a") == REQUEST.key("a")
    # pinned: stored answers must be found by later versions
    assert REQUEST.key("a").startswith("1ab5bba1086a39d3")


def test_generators_depend_on_their_parts_alone() -> None:
    assert generator("a", 1).integers(1000) == generator("a", 1).integers(1000)
    draws = {int(generator(*parts).integers(10**9)) for parts in (("a", 1), ("a1",), ("a", 2))}
    assert len(draws) == 3


def test_the_earliest_stop_string_cuts() -> None:
    assert cut_at_stop("a\n9. b\n\nc", ["\n\n", "\n9."]) == "a"
    assert cut_at_stop("a", ["", "b"]) == "a"


def test_the_procedural_teacher_says_what_it_is_and_repeats_itself() -> None:
    def skill(request: Request, rng: np.random.Generator) -> Answer:
        return Answer(f"{request.purpose} {rng.integers(10**6)}", faults=("none",))

    teacher = ProceduralTeacher({"write": skill, "judge": skill})
    requests = [REQUEST, replace(REQUEST, purpose="judge"), REQUEST]
    first, second, third = teacher.answer(requests)
    assert (first.text, first.faults) == (third.text, ("none",))
    assert second.text.startswith("judge")
    assert (teacher.kind, first.model) == ("procedural/1", "no language model")
