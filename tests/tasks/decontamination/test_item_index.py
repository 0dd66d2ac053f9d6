"""Words, runs and items against slow definitions; long items, short ones, and none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.decontamination.item_index import ItemIndex
from tasks.decontamination.words import read_words
from tasks.text import minhash_words, ngrams, normalise

LONG = "A farmer keeps 12 hens; each lays 2 eggs a day. How many eggs does he have in a week?"
SHORT = "Who wrote the Ode to a Nightingale?"
GRIDS = st.lists(st.sampled_from("0001"), max_size=30).map(" ".join)  # their runs come many times
FEW_WORDS = st.lists(st.sampled_from(["a", "b", "c", "ab", "你"]), max_size=25).map(" ".join)


@given(
    st.text(max_size=40) | st.text(st.sampled_from("Aé\u0301\u00ad你\u200bกำ_ .हि"), max_size=40)
)
def test_words_equal_the_definition(text: str) -> None:
    words = read_words(text)
    spans = list(zip(words.first.tolist(), words.last.tolist(), strict=True))
    found = [normalise(words.text[start:end]) for start, end in spans]
    assert found == minhash_words(text)
    hashes: dict[str, int] = {}
    for word, hashed in zip(found, words.hashes.tolist(), strict=True):
        assert hashes.setdefault(word, hashed) == hashed
    assert len(set(hashes.values())) == len(hashes)


@given(
    st.tuples(st.lists(FEW_WORDS, max_size=5), FEW_WORDS)
    | st.tuples(st.lists(GRIDS, max_size=5), GRIDS),
    st.integers(1, 4),
    st.integers(4, 8),
)
def test_hits_equal_the_definition(corpus: tuple[list[str], str], least: int, size: int) -> None:
    items, text = corpus
    index = ItemIndex(items, ngram_words=size, min_words=least)
    places = read_words(text).first.tolist()
    expected = []
    for number, item in enumerate(items):
        words = minhash_words(item)
        length = min(len(words), size)
        if length < least:
            continue
        there = list(ngrams(minhash_words(text), length))
        runs = list(ngrams(words, length))
        found = [run for run in runs if run in there]
        if found:
            start = places[min(there.index(run) for run in found)]
            expected.append((number, len(found), len(found) / len(runs), start, length < size))
    found_hits = [(*hit[:4], hit.is_whole) for hit in index.find(text)]
    assert found_hits == expected


def test_runs_that_come_often_on_both_sides_are_looked_up_once() -> None:
    """400 grids of zeros and a page of them: 120,000 places in items times 488 on the page."""
    index = index_of(*["0 " * 312 + f"{number} is the corner" for number in range(1, 401)])
    page = " ".join(["0"] * 500)
    [runs] = index.runs
    assert len(runs.hashes) == 1 + 400 * 4  # thirteen zeros, and what ends in an item's last words
    assert len(runs.items) == 400 + 400 * 4
    positions, rows = index.matches(read_words(page).hashes, runs)
    assert (len(positions), len(rows)) == (1, 1)
    hits = index.find(page)
    assert [(hit.item, hit.runs, hit.start) for hit in hits] == [
        (number, 300, 0) for number in range(400)
    ]


def index_of(*items: str) -> ItemIndex:
    return ItemIndex(items, ngram_words=13, min_words=3)


def test_thirteen_words_of_a_long_item_are_enough_and_twelve_are_not() -> None:
    words = LONG.split()
    assert index_of(LONG).find(" ".join(words[2:14])) == []
    [hit] = index_of(LONG).find("Before, " + " ".join(words[2:15]).upper() + " and after")
    assert (hit.runs, hit.share, hit.is_whole) == (1, 1 / (len(words) - 12), False)
    assert hit.start == len("Before, ")


@pytest.mark.parametrize("number", range(3, 13))
def test_items_under_thirteen_words_are_found_whole(number: int) -> None:
    item = " ".join(LONG.split()[:number])
    [hit] = index_of(item).find(f"Is this on the page? {item.lower().replace(' ', '  ')}: yes.")
    assert hit.is_whole
    assert index_of(item).find(item.rpartition(" ")[0]) == []
    assert index_of(item).find(item.replace(" ", " not ", 1)) == []


def test_case_punctuation_and_unicode_forms_do_not_hide_an_item() -> None:
    index = index_of("Où est le café d'Émile, s'il vous plaît ?")
    assert index.find("OU\u0300 EST « LE CAFE\u0301 » — d'émile s'il\u00a0vous pla\u00adît…")


def test_items_of_scripts_without_spaces_are_found() -> None:
    assert index_of("世界上最高的山是哪座。").find("请问:世界上最高的山是哪座?谢谢")


def test_an_item_of_two_words_is_not_looked_for() -> None:
    index = index_of("Fifty-two", SHORT)
    assert index.lengths.tolist() == [0, 7]
    assert index.find("fifty-two") == []


def test_one_run_in_two_items_is_a_hit_of_both() -> None:
    index = index_of(SHORT, LONG, SHORT)
    assert [hit.item for hit in index.find(SHORT)] == [0, 2]


def test_without_items_nothing_is_found() -> None:
    assert index_of().find(LONG) == []
