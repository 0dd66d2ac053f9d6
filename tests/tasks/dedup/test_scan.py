"""The compiled scan equals the definitions in tasks.text."""

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dedup.scan import BLOCK_TEXTS, composed_texts, scan_blocks, word_hash
from tasks.text import minhash_words, normalise

# Characters that take each way through the kernel: every UTF-8 length, case, marks, lone
# characters, spaces inside and outside ASCII, invisible ones, and one that grows when folded.
TRICKY = "aB9_ \t\n.,-é\u0301É\u00a0\u2003\u00ad\u200b你好กิन्ि𝒜😀ȺIİß"
texts = st.lists(st.one_of(st.text(st.sampled_from(TRICKY)), st.text()), max_size=6).map(
    lambda found: [text.encode("utf-8", "ignore").decode() for text in found]
)


def scan(written: list[str]) -> list[tuple[str, list[int]]]:
    found = []
    for block in scan_blocks(composed_texts(pa.array(written, pa.string()))):
        for row in range(len(block.normal_offsets) - 1):
            start, end = block.normal_offsets[row : row + 2]
            first, last = block.word_offsets[row : row + 2]
            normal = block.normal[start:end].tobytes().decode()
            found.append((normal, block.words[first:last].tolist()))
    return found


def expected(written: list[str]) -> list[tuple[str, list[int]]]:
    return [
        (normalise(text), [word_hash(word) for word in minhash_words(text)]) for text in written
    ]


@given(texts)
def test_scan_equals_the_definitions(written: list[str]) -> None:
    assert scan(written) == expected(written)


@pytest.mark.parametrize(
    "text",
    ["", " ", "a", "a ", " a", "你", "你a你a", "a你", "กิ", "é", "e\u0301", "a\u200bb", "Ⱥ" * 100],
)
def test_scan_at_the_edges(text: str) -> None:
    assert scan([text, text]) == expected([text, text])


def test_scan_goes_on_after_a_block() -> None:
    written = [f"document {number} é 你好" for number in range(2 * BLOCK_TEXTS + 3)]
    assert scan(written) == expected(written)


def test_a_slice_of_a_column_is_read_from_its_start() -> None:
    column = pa.array(["skipped", "one two", "three", "skipped"]).slice(1, 2)
    texts = composed_texts(column)
    assert texts.data[texts.offsets[0] : texts.offsets[-1]].tobytes() == b"one twothree"


def test_a_decomposed_text_is_composed_and_the_others_are_not_copied() -> None:
    decomposed = unicodedata.normalize("NFD", "Émile")
    texts = composed_texts(pa.array(["plain", decomposed, "“quotes”"]))
    assert texts.data.tobytes().decode() == "plainÉmile“quotes”"


def test_bytes_that_are_no_utf8_are_refused() -> None:
    broken = pa.array([b"\xff\xfe"], pa.binary()).view(pa.string())
    with pytest.raises(pa.ArrowInvalid, match="UTF8"):
        composed_texts(broken)
