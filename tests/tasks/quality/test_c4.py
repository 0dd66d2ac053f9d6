"""C4's rules: by hand, and the kernel against the definitions in plain Python."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_config.edits import C4LineRules
from storage.documents import apply_edits
from tasks.quality.c4 import SCHEMA, c4_line_edits, c4_signals
from tasks.quality.words import TERMINAL, block, character_flags

RULES = C4LineRules(enabled=True)
FINEWEB = C4LineRules(enabled=True, terminal_marks=None)
LOOSE = C4LineRules(
    enabled=True, terminal_marks=None, min_words=0, max_word_chars=None, citations=False,
    javascript=False, policy_phrases=(),
)  # fmt: skip
PIECES = (
    "a", "É", "word", "J", "JavaScript", "java", "script", "lorem", "ipsum", "Lorem ipsum", "{",
    "use cookies", "Terms of Use", "[1]", "[]", "[edit]", "[citation needed]", "[", "]", "1", "٣",
    ".", ".", "...", "!", "?", '"', "'", "”", ")", "。", " ", " ", " ", "  ", "\t", "\n", "\n",
    "\r", "\r\n", "\u2028", "x" * 1001,
)  # fmt: skip
documents = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def plain(text: str, rules: C4LineRules) -> tuple[list[str], dict[str, int]]:
    """The lines that are left, and the signals."""
    lines, signals = [], dict.fromkeys(SCHEMA.names, 0)
    for original in text.splitlines():
        line, words = original.strip(), original.split()
        if rules.max_word_chars and any(len(word) > rules.max_word_chars for word in words):
            continue
        if rules.citations:
            line = re.sub(r"\[\d*]|\[edit]|\[citation needed]", "", line)
        ends = tuple(rules.terminal_marks or "")
        if ends and (not line.endswith(ends) or line.endswith("...")):
            continue
        if len(words) < rules.min_words:
            continue
        lower = line.lower()
        signals["num_lorem_ipsum_lines"] += "lorem ipsum" in lower
        if rules.javascript and "javascript" in lower:
            continue
        signals["num_curly_bracket_lines"] += "{" in line
        if any(phrase in lower for phrase in rules.policy_phrases):
            continue
        lines.append(line)
        signals["num_c4_lines"] += 1
        signals["num_c4_sentences"] += max(len(re.findall(by_marks(), line)), 1)
        signals["num_c4_spaced_sentences"] += len(spaced_sentences(line))
    return lines, signals


def by_marks() -> str:
    flags = character_flags()
    marks = re.escape("".join(chr(point) for point in (flags & TERMINAL).nonzero()[0]))
    capitals = "A-ZÉ"  # those that the tests use
    return rf"(?:[{capitals}]\.|.)+?[{marks}]+[\"'”]?"


def spaced_sentences(line: str) -> list[str]:
    parts = re.split(
        r"(?<=\0)\s+", re.sub(r"([.!?。][\"'”\u2019)\]]*)(?=\s|$)", "\\1\0", line.strip())
    )
    return [part for part in parts if part.strip("\0")]


@given(documents)
@pytest.mark.parametrize("rules", [RULES, FINEWEB, LOOSE], ids=["paper", "fineweb", "loose"])
def test_signals_and_edits_equal_the_definitions(rules: C4LineRules, text: str) -> None:
    lines, signals = plain(text, rules)
    assert signals_of(text, rules) == signals
    spans = [(start, end, "") for start, end, _ in c4_line_edits(text, rules)]
    assert spans == sorted(spans)
    left = [line.strip() for line in apply_edits(text, spans).splitlines()]
    assert left == [line.strip() for line in lines]


def signals_of(text: str, rules: C4LineRules = RULES) -> dict[str, Any]:
    return {name: column[0].item() for name, column in c4_signals(block([text]), rules).items()}


def test_the_worked_example() -> None:
    text = (
        "Hello there, world. [1]\nOne two three! Four.\nRead our privacy policy today.\nmenu\n\n"
        "And[12] so it ended."
    )
    cut = [(text[start:end], reason) for start, end, reason in c4_line_edits(text, RULES)]
    assert cut == [
        ("Hello there, world. [1]\n", "c4_no_terminal"),
        ("Read our privacy policy today.\n", "c4_policy"),
        ("menu\n", "c4_no_terminal"),
        ("\n", "c4_blank"),
        ("[12]", "c4_citation"),
    ]
    assert signals_of(text) == {
        "num_c4_lines": 2,
        "num_c4_sentences": 3,
        "num_c4_spaced_sentences": 3,
        "num_lorem_ipsum_lines": 0,
        "num_curly_bracket_lines": 0,
    }


def test_sentences_by_marks_and_by_spacing() -> None:
    found = signals_of("3.5 e.g. J. Doe.")
    assert (found["num_c4_sentences"], found["num_c4_spaced_sentences"]) == (4, 3)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"one two three {'x' * 1001}.", "c4_long_word"),
        ("one two three", "c4_no_terminal"),
        ("one two three...", "c4_no_terminal"),
        ("one two three :", "c4_no_terminal"),
        ("two words.", "c4_few_words"),
        ("Please enable JavaScript now.", "c4_javascript"),
        ("This site USES COOKIES today.", "c4_policy"),
        ("", "c4_blank"),
    ],
)
def test_every_reason_to_cut_a_line(line: str, reason: str) -> None:
    text = f"This line is fine.\n{line}\nSo is this one."
    start = text.index("\n") + 1
    assert c4_line_edits(text, RULES) == [(start, start + len(line) + 1, reason)]


def test_nothing_is_cut_when_the_rules_are_off() -> None:
    assert c4_line_edits("menu", C4LineRules()) == []
    assert c4_line_edits("", RULES) == []


def test_a_curly_bracket_counts_in_lines_that_stay_or_name_a_policy() -> None:
    text = "if (a) { b\nHere is a { in a line.\nJavascript has a { in it.\nLorem ipsum dolor sit."
    found = signals_of(text)
    assert (found["num_curly_bracket_lines"], found["num_lorem_ipsum_lines"]) == (1, 1)
    assert signals_of("Our terms of use { here.")["num_curly_bracket_lines"] == 1


def test_phrases_of_a_user_are_lower_case_ascii() -> None:
    rules = C4LineRules(enabled=True, policy_phrases=("subscribe now", "now"))
    assert c4_line_edits("You can Subscribe NOW.", rules)[0][2] == "c4_policy"
    for phrase in ("Now", "é", "", " now"):
        with pytest.raises(ValueError, match="policy_phrases"):
            C4LineRules(policy_phrases=(phrase,))
