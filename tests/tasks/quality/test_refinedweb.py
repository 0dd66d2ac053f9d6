"""RefinedWeb's line rules: by hand, and the kernel against DCLM's order of modifiers."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_config.edits import RefinedWebLineRules
from storage.documents import apply_edits
from tasks.quality.refinedweb import refinedweb_line_edits, removed_word_fraction

RULES = RefinedWebLineRules(enabled=True)
PIECES = (
    "a", "word", "Sign-in", "READ MORE...", "Read more...", "items in cart", "sign-in", "3", "²",
    "1.2K", "12,000", "likes", "views", "Views!", "É", "A", "AB", ".", "*", " ", " ", " ", "  ",
    "\n", "\n", "\n\n\n", "\t", "a b c d e f g h i j k",
)  # fmt: skip
documents = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
COUNTER = re.compile(
    r"^\W*\d(?:,|\.|\d)*(?:K|k|M|m|B|b)?\s+(?:likes|shares|comments|retweets|reposts|quotes"
    r"|bookmarks|upvotes|downvotes|downloads|views|followers)\W*$"
)


def edited(text: str, rules: RefinedWebLineRules = RULES) -> str:
    return apply_edits(text, [(a, b, "") for a, b, _ in refinedweb_line_edits(text, rules)])


def without(line: str, pattern: str) -> str | None:
    """A line with a phrase removed, as far as it is short; None when nothing is left."""
    if len(line.split()) > 10:
        return line
    changed = re.sub(pattern, "", line, flags=re.IGNORECASE)
    return None if line and not changed.strip() else changed


def plain(text: str) -> list[str]:
    lines = re.sub(r"\n{3,}", "\n\n", text).split("\n")
    lines = [line for line in lines if 2 * sum(map(str.isupper, line)) <= len(line)]
    lines = [line for line in lines if not line or not all(map(str.isdigit, line))]
    lines = [line for line in lines if not COUNTER.search(line.lower())]
    lines = [line for line in lines if not line or len(line.split()) >= 2]
    for pattern in (r"\s?items in cart", r"\s?read more\.\.\.$", r"^sign-in\s?"):
        changed = [without(line, pattern) for line in lines]
        lines = [line for line in changed if line is not None]
    return lines


@given(documents)
def test_the_edits_equal_one_modifier_after_the_other(text: str) -> None:
    spans = refinedweb_line_edits(text, RULES)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert edited(text).strip("\n") == "\n".join(plain(text)).strip("\n")


def test_the_worked_example() -> None:
    text = "A short story\nSIGN UP NOW\n2023\n12 likes\nHome\nIt begins here. Read more..."
    assert edited(text) == "A short story\nIt begins here."
    reasons = [reason.removeprefix("refinedweb_") for _, _, reason in
               refinedweb_line_edits(text, RULES)]  # fmt: skip
    assert reasons == ["uppercase", "digits", "counter", "few_words", "phrase"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a b\n\n\n\n\nc d", "a b\n\nc d"),
        ("half HALF\nHALVES half", "half HALF\n"),
        ("sign-in to go on", "to go on"),
        ("one two three four five six seven eight nine ten read more...", None),
        ("3 items in cart", "3"),
        ("items in cart\nkept line", "kept line"),
        ("* 1.2K Shares!\nkept line", "kept line"),
        ("12 monkeys\n", None),
    ],
)
def test_what_is_cut(text: str, left: str | None) -> None:
    assert edited(text) == (text if left is None else left)


def test_rules_can_be_off() -> None:
    off = RefinedWebLineRules(
        enabled=True, max_uppercase_fraction=None, digit_lines=False, counter_lines=False,
        min_words=0, phrases_anywhere=(), phrases_last=(), phrases_first=(), max_newlines=None,
    )  # fmt: skip
    text = "SIGN UP\n2023\n12 likes\nHome\n\n\n\n3 items in cart"
    assert edited(text, off) == text
    assert refinedweb_line_edits(text, RefinedWebLineRules()) == []


def test_the_share_of_words_removed() -> None:
    text = "one two three\nHOME PAGE\nfour five six"
    spans = refinedweb_line_edits(text, RULES)
    assert removed_word_fraction(text, spans) == 2 / 8
    assert removed_word_fraction("", []) == 0.0
