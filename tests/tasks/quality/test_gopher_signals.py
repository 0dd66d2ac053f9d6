"""Gopher's signals: by hand, and the kernels against the definitions."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_config.quality import GOPHER_STOP_WORDS
from tasks.quality.gopher_quality import SCHEMA as QUALITY_SCHEMA
from tasks.quality.gopher_quality import plain_quality_signals, quality_signals
from tasks.quality.gopher_repetition import SCHEMA as REPETITION_SCHEMA
from tasks.quality.gopher_repetition import plain_repetition_signals, repetition_signals
from tasks.quality.words import LETTER, SUBSTANCE, block, character_flags, text_hash

# Pieces of which documents are made: few, so that lines, paragraphs and n-grams come again, some
# that are equal only when joined ("a" "aa" and "aa" "a"), and every kind of line break and symbol.
PIECES = (
    "a", "aa", "b", "the", "of", "The", "É", "你好", "1", "#", "##", ".", "..", "...", "\u2026",
    "-", "\u2022", " ", " ", " ", "  ", "\t", "\n", "\n", "\n\n", "\n\n\n", "\r", "\r\n",
    "\u2028", "\x85", "\x0c", "\u00a0", "\u3000", "\x00",
)  # fmt: skip
documents = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


def signals(*texts: str) -> list[dict[str, float]]:
    words = block(list(texts))
    columns = quality_signals(words, GOPHER_STOP_WORDS) | repetition_signals(words)
    return [
        {name: column[row].item() for name, column in columns.items()} for row in range(len(texts))
    ]


def plain(text: str) -> dict[str, float]:
    return plain_quality_signals(text, GOPHER_STOP_WORDS) | plain_repetition_signals(text)


@given(st.lists(documents, max_size=3))
def test_the_kernels_equal_the_definitions(texts: list[str]) -> None:
    assert signals(*texts) == [plain(text) for text in texts]


@given(st.text())
def test_the_kernels_equal_the_definitions_on_any_text(text: str) -> None:
    assert signals(text, text) == [plain(text)] * 2


def test_there_is_a_signal_for_every_column() -> None:
    names = [*QUALITY_SCHEMA.names, *REPETITION_SCHEMA.names]
    assert list(signals("a b c")[0]) == names


def test_quality_of_the_worked_example() -> None:
    assert quality("# The cat...\n- of mats") == {
        "num_chars": 22,
        "num_all_words": 6,
        "num_words": 4,
        "mean_word_length": 15 / 4,
        "hash_to_word_ratio": 1 / 6,
        "ellipsis_to_word_ratio": 1 / 6,
        "bullet_line_fraction": 1 / 2,
        "ellipsis_line_fraction": 1 / 2,
        "alpha_word_fraction": 4 / 6,
        "num_stop_words": 1,
    }


def quality(text: str) -> dict[str, float]:
    return {name: value for name, value in signals(text)[0].items() if name in QUALITY_SCHEMA.names}


def test_repetition_of_the_worked_example() -> None:
    found = signals("a b a b a b")[0]
    assert found["top_2_gram_char_fraction"] == 3 * 3 / 11
    assert found["top_3_gram_char_fraction"] == 2 * 5 / 11  # "a b a" comes twice, and first
    assert found["top_4_gram_char_fraction"] == 2 * 7 / 11
    assert found["dup_5_gram_char_fraction"] == 0.0  # "a b a b a" and "b a b a b" are new


def test_a_repeated_n_gram_is_jumped_over() -> None:
    five = "one two three four five"  # 19 characters without spaces
    text = f"{five} {five} {five}"
    found = signals(text)[0]
    assert found["dup_5_gram_char_fraction"] == 2 * 19 / len(text)
    assert found["dup_10_gram_char_fraction"] == 38 / len(text)  # words 6 to 15 are words 1 to 10
    assert signals(f"{five} {five}")[0]["dup_10_gram_char_fraction"] == 0.0


def test_lines_and_paragraphs_count_from_the_second_copy() -> None:
    text = "same\n\nsame\n\nother\nsame"
    found = signals(text)[0]
    assert found["dup_paragraph_fraction"] == 1 / 3  # "other\nsame" is the third
    assert found["dup_paragraph_char_fraction"] == 4 / len(text)
    assert found["dup_line_fraction"] == 2 / 4
    assert found["dup_line_char_fraction"] == 8 / len(text)


def test_a_leading_and_a_trailing_newline_are_two_equal_lines() -> None:
    assert signals("\na\n")[0]["dup_line_fraction"] == 1 / 3


@pytest.mark.parametrize("text", ["", " \n ", "\x00"])
def test_a_text_without_words_gives_zeros(text: str) -> None:
    found = signals(text)[0]
    assert found == plain(text)
    assert found["num_words"] == found["mean_word_length"] == found["alpha_word_fraction"] == 0


def test_documents_in_a_block_do_not_touch() -> None:
    assert signals("a b", "b c a b", "", "a b") == [*map(plain, ("a b", "b c a b", "", "a b"))]


def test_words_are_laid_out_with_their_hashes() -> None:
    laid = block(["to be", "be"])
    assert laid.word_offsets.tolist() == [0, 2, 3]
    assert np.diff(laid.lengths).tolist() == [2, 2, 2]
    hashes = np.diff(laid.sums) * laid.inverses
    assert hashes.tolist() == [text_hash("to"), text_hash("be"), text_hash("be")]
    joined = (laid.sums[2] - laid.sums[0]) * laid.inverses[0]
    assert joined == text_hash("tobe")


def test_flags_say_what_python_says() -> None:
    flags = character_flags()
    points = [*range(0x3000), *range(0x3000, 0x110000, 991)]
    assert [bool(flags[point] & LETTER) for point in points] == [chr(p).isalpha() for p in points]
    for symbol in "!?.,;:'\"()[]{}<>@#$%^&*-_+=/\\|~`“”—…•€\x00":
        assert not flags[ord(symbol)] & SUBSTANCE
    for substance in "aé1你\u0301":
        assert flags[ord(substance)] & SUBSTANCE
    assert re.sub(r"\S", "", "a\u00a0b\u2028c") == "\u00a0\u2028"  # white space beyond ASCII
