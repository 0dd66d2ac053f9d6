"""Words of lists in scripts of all kinds: by hand, and against the words of `tasks.text`."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.quality.word_lists import find_words, name_of, patterns, word_list
from tasks.text import minhash_words


def found(text: str, *entries: str) -> list[str]:
    return [text[start:end] for start, end in find_words(text, word_list(entries))]


@pytest.mark.parametrize(
    ("text", "entries", "expected"),
    [
        ("What, the HECK, heckling!", ["heck", "what the"], ["What, the", "HECK"]),
        # Vowel signs are marks: no letters, but inside of words.
        ("रोड पर", ["रंडी"], []),
        ("वह रंडी है", ["रंडी"], ["रंडी"]),
        ("रंडीला", ["रंडी"], []),
        # Other characters stand for themselves.
        ("It's M who", ["s&m"], []),
        ("an S&M club, BDS&M", ["s&m"], ["S&M"]),
        ("f*ck, f ck, af*ck", ["f*ck"], ["f*ck"]),
        ("written in C++, not in C", ["c++"], ["C++"]),
        ("what  the f*ck", ["what the f*ck"], ["what  the f*ck"]),
        ("🖕🏽 ok 🖕", ["🖕"], ["🖕", "🖕"]),
        # Scripts without spaces: anywhere, but not half of a character with its marks.
        ("你好世界和平", ["世界"], ["世界"]),
        ("世、界", ["世界"], []),
        ("这是Shit吗", ["shit"], ["Shit"]),
        (unicodedata.normalize("NFD", "がか"), ["か"], ["か"]),
        # Composed or not, soft hyphens or not, capitals of all alphabets.
        ("Ein Trotte\u0301l!", ["trott\u00e9l"], ["Trotte\u0301l"]),
        ("Ein Trott\u00e9l!", ["trotte\u0301l"], ["Trott\u00e9l"]),
        ("he\u00adck", ["heck"], ["he\u00adck"]),
        ("ΚΑΚΌΣ κακός", ["κακός"], ["ΚΑΚΌΣ", "κακός"]),
        ("# a comment", ["# comment", ""], []),
    ],
)  # fmt: skip
def test_entries_by_hand(text: str, entries: list[str], expected: list[str]) -> None:
    assert found(text, *entries) == expected


@pytest.mark.parametrize("entry", ["\u00ad", "\u200b", "\ufeff\u200b"])
def test_an_entry_that_could_never_be_found_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="has no visible character"):
        word_list(["heck", entry])


TEXTS = st.text(alphabet="aBéïß&-* \n\u0301\u00ad\u200b\u200dΣςरंडी世界がไทย़한ㄱ🖕", max_size=30)


@given(TEXTS)
def test_words_are_those_of_all_stages(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    words = [name_of(word) for word in patterns().word.findall(composed)]
    # But for a mark after no letter, such as behind an emoji: here it is in no word.
    marks = "".join(c for c in composed if unicodedata.category(c).startswith("M"))
    expected = [word.lstrip(marks).casefold() for word in minhash_words(composed)]
    assert words == [word for word in expected if word]


UNITS = (
    *("a", "B", "é", "ï", "ß", "Σ", "ς", "&", "-", "*", " ", "\n", "\u00ad"),
    *("रं", "डी", "世", "が", "ไ", "ย้", "한", "🖕"),
)
WRITTEN = st.lists(st.sampled_from(UNITS), max_size=12).map("".join)


@given(WRITTEN, WRITTEN, WRITTEN)
def test_an_entry_is_found_in_every_form(before: str, entry: str, after: str) -> None:
    entry = entry.strip()
    if not "".join(map(name_of, patterns().piece.findall(entry))).strip() or entry.startswith("#"):
        return
    for form in ("NFC", "NFD"):
        text = unicodedata.normalize(form, f"{before}\n{entry}\n{after}")
        spans = find_words(text, word_list([entry]))
        start, end = (len(unicodedata.normalize(form, part)) for part in (f"{before}\n", entry))
        assert any(first < start + end and start < last for first, last in spans)
        assert spans == sorted(spans)
