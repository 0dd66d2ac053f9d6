"""Every family: balanced answers that are true of the passage, whatever the documents."""

from collections import Counter
from functools import cache
from typing import get_args

import pytest

from pipeline_config.instructions import FamilyName
from tasks.instructions.families.catalog import FAMILIES, recognise
from tasks.instructions.families.family import Draft
from tasks.instructions.passages import (
    Cut,
    Shelf,
    document,
    passage_anywhere,
    passage_from,
    passage_until,
)
from tasks.teacher.exchange import generator
from tasks.teacher.verify import verify

CUT = Cut(min_words=8, max_words=14, max_chars=200)
PROSE = (
    "The keeper of the hall, as is told in {n}, went to a door (the old one) and was not by it for "
    "long. If it is open, it is for an hour: or so be it with this, from that on. They are in "
    "Room = {n}. "
)
CODE = (
    "class Hall{n}: def open(self, door): if not door in self.doors: return None for x in a: "
    "import this as that if x = None: return self . "
)
SHELF = Shelf(
    tuple(
        document(
            f"{source}{n}",
            f"{source}{n}",
            source,
            f"http://x/{n}.{'py' if source == 'code' else 'html'}",
            "",
            text.format(n=n) * 12,
        )
        for source, text in (
            ("docs", PROSE),
            ("notes", PROSE.replace("keeper", "KEEPER")),
            ("code", CODE),
        )
        for n in range(6)
    )
)


@cache
def drafts(name: str, number: int = 120) -> list[Draft]:
    rng = generator("test", name)
    made = (FAMILIES[name].draw(SHELF, CUT, rng) for _ in range(10 * number))
    return [draft for draft in made if draft is not None][:number]


def test_configuration_and_catalog_name_the_same_families() -> None:
    assert set(get_args(FamilyName)) == set(FAMILIES)
    assert all(name == family.name for name, family in FAMILIES.items())


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_answers_verify_and_passages_are_real(name: str) -> None:
    made = drafts(name)
    assert len(made) == 120
    for draft in made:
        assert verify(draft.rule, draft.rule.answer)
        for passage in draft.passages:
            assert CUT.min_words <= passage.words <= CUT.max_words
            assert len(passage.text) <= CUT.max_chars
            words = passage.document.text.split(" ")
            span = " ".join(words[passage.start : passage.start + passage.words])
            assert span.startswith(passage.text)
            assert name == "word_order" or passage.text in draft.input


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_no_answer_is_much_more_frequent_than_another(name: str) -> None:
    counts = Counter(draft.rule.answer for draft in drafts(name))
    assert len(counts) >= 2
    assert max(counts.values()) <= 3.5 * 120 / len(counts)


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("last_word", lambda text, answer: text.split()[-1] == answer),
        ("last_but_one", lambda text, answer: text.split()[-2] == answer),
        ("first_word", lambda text, answer: text.split()[0] == answer),
        ("last_sign", lambda text, answer: text.endswith(answer)),
        ("capital", lambda text, answer: text[0].isupper() == (answer == "yes")),
        ("next_mark", lambda text, answer: not text.endswith(answer)),
    ],
)
def test_answers_are_true_of_the_input(name: str, holds: object) -> None:
    assert callable(holds)
    assert all(holds(draft.input, draft.rule.answer) for draft in drafts(name))


def test_relations_are_those_of_the_sources() -> None:
    for draft in drafts("which_source"):
        wanted = draft.input.split("\n")[0].removeprefix("Wanted: ")
        place = ("first", "second").index(draft.rule.answer)
        assert draft.passages[place].document.source == wanted
    for draft in drafts("same_source"):
        sources = {passage.document.source for passage in draft.passages}
        assert (len(sources) == 1) == (draft.rule.answer == "yes")
    for draft in drafts("odd_one_out"):
        sources_ = [passage.document.source for passage in draft.passages]
        odd = sources_[("first", "second", "third").index(draft.rule.answer)]
        assert sources_.count(odd) == 1
    for draft in drafts("word_order"):
        (passage,) = draft.passages
        assert (draft.input == passage.text) == (draft.rule.answer == "intact")
        assert sorted(draft.input.split()) == sorted(passage.text.split())


def test_a_phrasing_is_recognised_whatever_its_case_and_spaces() -> None:
    found = recognise("  copy the FINAL word. ", ("source", "last_word"))
    assert found is not None
    assert found.name == "last_word"
    assert recognise("Copy the final word.", ("source",)) is None
    assert recognise("Copy the final words.", tuple(FAMILIES)) is None


def test_an_empty_shelf_gives_nothing() -> None:
    rng = generator("empty")
    assert {family.draw(Shelf(()), CUT, rng) for family in FAMILIES.values()} == {None}


def test_passages_are_cut_at_words() -> None:
    one = document("d", "c", "s", "u", "", " ".join(f"w{n}" for n in range(40)))
    exact, rng = Cut(5, 5, 100), generator("cut")
    first = passage_from(one, one.text.index("w7 "), exact, rng)
    until = passage_until(one, one.text.index("w20 "), exact, rng)
    anywhere = next(filter(None, (passage_anywhere(one, exact, rng) for _ in range(20))))
    assert first is not None
    assert until is not None
    assert (first.text, first.start, first.words) == ("w7 w8 w9 w10 w11", 7, 5)
    assert (until.text, until.start, until.words) == ("w15 w16 w17 w18 w19", 15, 5)
    assert anywhere.text.split(" ")[0] == f"w{anywhere.start}"
    assert passage_until(one, one.text.index("w3 "), exact, rng) is None
    assert passage_from(one, one.text.index("w38"), exact, rng) is None
    assert passage_from(one, 0, Cut(30, 30, 40), rng) is None  # the words there are too long
