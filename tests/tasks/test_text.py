"""Normal form and words, on more than ten scripts."""

import doctest
import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import text
from tasks.text import (
    DROPPED,
    Kind,
    character_table,
    fold,
    gopher_words,
    kind,
    minhash_words,
    ngrams,
    normalise,
)

# Every code point of the planes where something has case or is a mark, and some of the others.
SAMPLE = [*range(0x20000), *range(0x20000, 0x110000, 997), *range(0xE0000, 0xE0200)]


def test_examples_in_docstrings_hold() -> None:
    assert doctest.testmod(text).failed == 0


@pytest.mark.parametrize(
    ("script", "written", "words"),
    [
        ("Latin", "Don't panic, naïve ÉMILE!", ["don", "t", "panic", "naïve", "émile"]),
        ("code", "x_1 = foo.bar(2)", ["x_1", "foo", "bar", "2"]),
        ("Cyrillic", "Привет, Мир", ["привет", "мир"]),
        ("Greek", "ΟΔΟΣ οδός", ["οδοσ", "οδός"]),
        ("Hebrew, with points", "שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("Arabic", "مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("Persian, zero-width non-joiner", "می\u200cخواهم", ["میخواهم"]),  # noqa: RUF001
        ("Devanagari", "नमस्ते हिन्दी", ["नमस्ते", "हिन्दी"]),
        ("Tamil", "தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("Bengali", "বাংলা ভাষা", ["বাংলা", "ভাষা"]),
        ("Armenian", "Բարեւ աշխարհ", ["բարեւ", "աշխարհ"]),
        ("Georgian", "გამარჯობა მსოფლიო", ["გამარჯობა", "მსოფლიო"]),
        ("Ethiopic", "ሰላም፡ዓለም", ["ሰላም", "ዓለም"]),
        ("Korean", "안녕하세요 세계", ["안녕하세요", "세계"]),
        ("Chinese", "你好，世界abc", ["你", "好", "世", "界", "abc"]),  # noqa: RUF001
        ("Japanese", "カタカナとかな", ["カタカナ", "と", "か", "な"]),
        ("Thai", "ที่นี่", ["ที่", "นี่"]),
        ("Khmer", "ខ្មែរ", ["ខ្", "មែ", "រ"]),
        ("Tibetan", "བོད་ཡིག", ["བོད", "ཡིག"]),
        ("emoji", "ok 👍🏽 done", ["ok", "done"]),
    ],
)
def test_words_of_a_script(script: str, written: str, words: list[str]) -> None:
    expected = [unicodedata.normalize("NFC", word) for word in words]
    assert minhash_words(written) == expected
    assert minhash_words(unicodedata.normalize("NFD", written)) == expected


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("  a \t\n b\u00a0c ", "a b c"),
        ("soft\u00adhyphen \ufeffbom", "softhyphen bom"),
        ("zero\u200bwidth", "zero width"),
        ("I\u0307stanbul", "İstanbul"),  # its lower case has two characters, so it stays
        ("", ""),
    ],
)
def test_normal_form(written: str, normal: str) -> None:
    assert normalise(written) == normal


@given(st.text())
def test_the_normal_form_is_its_own_when_composed(written: str) -> None:
    once = normalise(unicodedata.normalize("NFC", written))
    assert once == normalise(written)
    assert minhash_words(once) == minhash_words(written)


def test_the_table_says_what_the_functions_say() -> None:
    table = character_table()
    folded = [DROPPED if (to := fold(chr(point))) == "" else ord(to) for point in SAMPLE]
    np.testing.assert_array_equal(table.fold[SAMPLE], folded)
    np.testing.assert_array_equal(table.kind[SAMPLE], [kind(chr(point)) for point in SAMPLE])


def test_ascii_folds_to_ascii_letters_and_separators() -> None:
    table = character_table()
    assert table.fold[:128].max() < 128
    assert set(table.kind[:128].tolist()) == {Kind.SEPARATOR, Kind.LETTER}


def test_a_folded_character_takes_at_most_half_as_many_bytes_again() -> None:
    lengths = [
        (len(fold(chr(point)).encode()), len(chr(point).encode()))
        for point in SAMPLE
        if not 0xD800 <= point <= 0xDFFF
    ]
    assert all(2 * after <= 3 * before for after, before in lengths)


def test_only_characters_from_u_0300_on_change_under_nfc() -> None:
    assert all(unicodedata.normalize("NFC", chr(point)) == chr(point) for point in range(0x300))
    seconds = {
        parts[1]
        for point in range(sys.maxunicode + 1)
        if len(parts := unicodedata.decomposition(chr(point)).split()) == 2 and parts[0][0] != "<"
    }
    assert min(int(second, 16) for second in seconds) == 0x300


def test_gopher_words_keep_their_punctuation() -> None:
    assert gopher_words("It's 5pm,\nnow -- go.") == ["It's", "5pm,", "now", "--", "go."]


def test_ngrams_of_a_short_sequence_are_none() -> None:
    assert ngrams(["a", "b"], 3) == []
    assert ngrams(["a", "b", "c"], 3) == [("a", "b", "c")]
