"""FineWeb's signals: by hand, and the kernel against the definitions."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.quality.fineweb import SCHEMA, fineweb_signals, plain_fineweb_signals
from tasks.quality.words import TERMINAL, block, character_flags

PIECES = (
    "a", "word", "a line of more than thirty characters", ".", "!", "'", '"', "。", "…", "”",
    " ", "\t", "\n", "\n", "\n", "\n\n", "\r", "\u2028",
)  # fmt: skip
documents = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def signals(*texts: str) -> list[dict[str, Any]]:
    columns = fineweb_signals(block(list(texts)), 30)
    return [
        {name: column[row].item() for name, column in columns.items()} for row in range(len(texts))
    ]


@given(st.lists(documents, max_size=3))
def test_the_kernel_equals_the_definitions(texts: list[str]) -> None:
    assert signals(*texts) == [plain_fineweb_signals(text, 30) for text in texts]


@given(st.text())
def test_the_kernel_equals_the_definitions_on_any_text(text: str) -> None:
    assert signals(text, text) == [plain_fineweb_signals(text, 30)] * 2


def test_the_worked_example() -> None:
    found = signals("She said: 'yes.'\n\nGo on.\nGo on.\nmenu")[0]
    assert found == {
        "fineweb_v1_marked_line_fraction": 3 / 5,
        "fineweb_v1_short_line_fraction": 5 / 5,
        "fineweb_v2_marked_line_fraction": 2 / 4,
        "fineweb_v2_short_line_fraction": 4 / 4,
        "fineweb_dup_line_char_fraction": 6 / 32,
        "newline_to_word_ratio": 4 / 8,
    }
    assert list(found) == SCHEMA.names


def test_white_space_at_the_end_hides_a_mark() -> None:
    assert signals("The end. ")[0]["fineweb_v1_marked_line_fraction"] == 0.0


def test_a_line_of_thirty_characters_is_short() -> None:
    found = signals("x" * 30 + "\n" + "x" * 31)[0]
    assert found["fineweb_v1_short_line_fraction"] == 0.5


def test_marks_of_other_scripts_end_a_sentence() -> None:
    flags = character_flags()
    for mark in ".!?\u3002\u0964\u061f\u06d4\uff0e\uff01\uff1f\u1362\u0965":
        assert flags[ord(mark)] & TERMINAL
    for other in ",;:\"'”»)…a1":
        assert not flags[ord(other)] & TERMINAL
