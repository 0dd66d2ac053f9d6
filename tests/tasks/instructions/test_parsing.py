"""Answers as models really format them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.instructions.parsing import Example, parse_examples, parse_numbered, parse_yes_no
from tasks.instructions.prompts import example, quote

TWO = ["Sort the list.", "Name a river."]


@pytest.mark.parametrize(
    "answer",
    [
        " Sort the list.\n10. Name a river.",  # goes on right after the open "9."
        "9. Sort the list.\n10. Name a river.",
        "Sure! Here are two tasks:\n\n9. Sort the list.\n\n10. Name a river.",
        "1. Sort the list.\n2. Name a river.",
        "1) Sort the list.\n2) Name a river.",
        "**9.** Sort the list.\n**10.** Name a river.",
        "```\n9. Sort the list.\n10. Name a river.\n```",
        "  9. Sort\n     the list.\n  10. Name a river.  ",
        "- 9: Sort the list.\n- 10: Name a river.",
    ],
)
def test_numbered_lists_in_every_dress(answer: str) -> None:
    assert parse_numbered(answer, 9, truncated=False) == TWO


def test_a_cut_last_item_is_dropped() -> None:
    assert parse_numbered("9. Sort the list.\n10. Name a ri", 9, truncated=True) == TWO[:1]
    assert parse_numbered("", 9, truncated=True) == []


def test_an_answer_without_numbers_is_one_item() -> None:
    assert parse_numbered("I cannot do that.", 9, truncated=False) == ["I cannot do that."]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("Yes", True),
        ("  no.", False),
        ("**YES**, it has labels", True),
        ("Nothing", None),
        ("It depends", None),
        ("", None),
    ],
)
def test_yes_and_no(answer: str, said: bool | None) -> None:
    assert parse_yes_no(answer) is said


@pytest.mark.parametrize(
    ("answer", "examples"),
    [
        (
            "Example 1\nInput: a\nOutput: b\n\nExample 2\nInput: c\nOutput: d",
            [Example("a", "b"), Example("c", "d")],
        ),
        ("Input: a\nOutput: b\nInput: c\nOutput: d", [Example("a", "b"), Example("c", "d")]),
        ("**Example 1:**\n**Input:** a\n**Output:** b", [Example("a", "b")]),
        (
            "Class label: x\nInput: a\n\nExample 2\nclass LABEL : y\nInput: b",
            [Example("a", "x"), Example("b", "y")],
        ),
        ("Output: b\nInput: a", [Example("a", "b")]),
        ("Sure, here it is:\nInput: none\nOutput: b", [Example("", "b")]),
        ("Input: <noinput>\nOutput: b", [Example("", "b")]),
        ("Just the answer.", [Example("", "Just the answer.")]),
        ("Input: a\nOutput: line one\nline two", [Example("a", "line one\nline two")]),
        ("Input:\n| a\n| Output: no\nOutput: b", [Example("a\nOutput: no", "b")]),
        ("Input: a", [Example("a", None)]),
        ("Input: a\nOutput:", [Example("a", "")]),
        ("Output: see Example 2 in the book", [Example("", "see Example 2 in the book")]),
        ("", []),
    ],
)
def test_examples_in_every_order(answer: str, examples: list[Example]) -> None:
    assert parse_examples(answer, truncated=False) == examples


def test_a_cut_last_example_is_dropped() -> None:
    answer = "Example 1\nInput: a\nOutput: b\n\nExample 2\nInput: c\nOutput: d"
    assert parse_examples(answer, truncated=True) == [Example("a", "b")]


@given(st.text())
def test_parsers_never_raise(answer: str) -> None:
    for truncated in (False, True):
        parse_numbered(answer, 9, truncated=truncated)
        parse_examples(answer, truncated=truncated)
    parse_yes_no(answer)


FIELDS = ("Output: x", "Input: y", "Example 3", "| bar", "| a | b |", "none", "Class label: z", "")
lines = st.lists(st.sampled_from([*FIELDS, "word", "9. ", " space "]), min_size=1, max_size=5)


@given(text=lines.map("\n".join), label_first=st.booleans())
def test_no_line_of_an_input_can_look_like_a_field(text: str, label_first: bool) -> None:
    (read,) = parse_examples(example(1, text, "right", label_first), truncated=False)
    assert read == Example(text, "right")


def test_a_bare_table_is_no_quotation() -> None:
    table = "| town | size |\n|---|---|\n| Alder | 3 |"
    (read,) = parse_examples(f"Input:\n{table}\nOutput: Alder", truncated=False)
    assert read.input == table


def test_quoting_marks_every_line() -> None:
    assert quote("a\n\nb") == "| a\n| \n| b"
