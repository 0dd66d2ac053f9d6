"""The word stream: what a word is in many scripts, and the compiled reader against a slow one."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dedup import word_stream
from tasks.dedup.word_stream import blocks, read_words
from tasks.text import Kind, fold, kind

TEXTS = st.text(st.sampled_from("ab.,B 你好กำ\u0301\n\u200b\xa0é😀_"), max_size=30) | st.text(
    max_size=30
)


def plain_words(text: str) -> list[tuple[int, int]]:
    """First character and end of each word, by the definition."""
    spans: list[tuple[int, int]] = []
    place = "outside"
    for index, character in enumerate(text):
        if fold(character) == " ":
            place = "outside"
            continue
        lone = kind(character) == Kind.ALONE
        letter_after = place == "after a lone one" and kind(character) == Kind.LETTER
        if lone or place == "outside" or letter_after:
            spans.append((index, index))
            place = "after a lone one" if lone else "inside"
        spans[-1] = (spans[-1][0], index + 1)
    return spans


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello,  (world)!\n\nIt's 5pm.", ["Hello,", "(world)!", "It's", "5pm."]),
        ("Привет, мир", ["Привет,", "мир"]),
        ("μιλάμε λίγα", ["μιλάμε", "λίγα"]),
        ("سلام دنیا", ["سلام", "دنیا"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("नमस्ते दुनिया।", ["नमस्ते", "दुनिया।"]),
        ("안녕하세요 세계", ["안녕하세요", "세계"]),
        ("你好。世界", ["你", "好。", "世", "界"]),
        ("ひらがな", ["ひ", "ら", "が", "な"]),
        ("กำลัง", ["ก", "ำ", "ลั", "ง"]),  # sara am is a letter, mai han akat a mark
        ("mixed你好text", ["mixed", "你", "好", "text"]),
        ("", []),
        (" \t\n ", []),
    ],
)
def test_words_of_many_scripts(text: str, words: list[str]) -> None:
    found = read_words(pa.array([text]))
    assert bytes(found.stream).decode() == "".join(f"{word} " for word in words)
    spans = zip(found.first.tolist(), found.last.tolist(), strict=True)
    assert [text[first:last] for first, last in spans] == words


@given(st.lists(TEXTS, max_size=5))
def test_the_reader_equals_the_definition(texts: list[str]) -> None:
    found = read_words(pa.array(texts, pa.string()))
    expected = [[text[a:b] for a, b in plain_words(text)] for text in texts]
    assert bytes(found.stream).decode() == "".join(f"{w} " for words in expected for w in words)
    assert [len(words) for words in expected] == (
        found.text_words[1:] - found.text_words[:-1]
    ).tolist()
    spans = [span for text in texts for span in plain_words(text)]
    assert list(zip(found.first.tolist(), found.last.tolist(), strict=True)) == spans
    widths = [len(word.encode()) + 1 for words in expected for word in words]
    assert (found.starts[1:] - found.starts[:-1]).tolist() == widths


def test_equal_words_have_equal_hashes() -> None:
    found = read_words(pa.array(["one two", "two  one", "tow"]))
    one, two, again, first, other = found.hashes.tolist()
    assert (one, two) == (first, again)
    assert len({one, two, other}) == 3


def test_a_slice_of_a_column_is_read_from_its_own_start() -> None:
    column = pa.array(["skipped words", "a b", "c"])[1:]
    assert bytes(read_words(column).stream) == b"a b c "


def test_blocks_are_cut_between_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_stream, "BLOCK_BYTES", 10)
    texts = ["one two", "", "three", "four five six seven eight", "nine"]
    found = [(first, bytes(words.stream).decode()) for first, words in blocks(pa.array(texts))]
    assert [first for first, _ in found] == sorted({first for first, _ in found})
    assert len(found) > 1
    assert "".join(stream for _, stream in found) == "one two three four five six seven eight nine "
    assert list(blocks(pa.array([], pa.string()))) == []
