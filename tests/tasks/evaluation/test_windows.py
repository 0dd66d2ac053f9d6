import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.windows import Window, choose, cut


def test_windows_of_the_example() -> None:
    # <|endoftext|> and 8 tokens: 1-4, then 5-6 after seeing 3-4, then 7-8
    assert list(cut(9, window_tokens=4, overlap=2)) == [
        Window(0, 4, 1),
        Window(2, 6, 5),
        Window(4, 8, 7),
    ]


def test_short_documents_have_one_window_or_none() -> None:
    assert list(cut(3, 4, 2)) == [Window(0, 2, 1)]
    assert list(cut(1, 4, 2)) == []  # <|endoftext|> alone predicts nothing


@given(st.integers(0, 200), st.integers(1, 20), st.data())
def test_every_token_after_the_first_is_scored_once(length: int, size: int, data) -> None:
    overlap = data.draw(st.integers(0, size - 1))
    scored = []
    for number, window in enumerate(cut(length, size, overlap)):
        assert window.end - window.start <= size
        if number:  # what was seen again is context: at least the overlap
            assert window.scored_from - 1 - window.start >= overlap
        scored += range(window.scored_from, window.end + 1)
    assert scored == list(range(1, length))


def test_overlap_as_large_as_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        list(cut(9, 4, 4))


def test_choose_takes_whole_documents_that_fit_and_always_the_first() -> None:
    assert choose([5, 7, 2], 8) == [0, 2]
    assert choose([50, 7], 8) == [0]
