import pytest

from tasks.teacher.verify import Rule, chosen, verify

PLACES = ("first", "second")


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("first", True),
        (" First.\n", True),
        ("The first passage.", True),
        ("**first**", True),
        ("second", False),
        ("first or second", False),
        ("not first", False),
        ("It isn't the first.", False),
        ("", False),
        ("\n\n", False),
        ("firstly", False),
        ("I think so\nfirst", False),
    ],
)
def test_a_choice_must_be_the_only_one_named(answer: str, right: bool) -> None:
    assert verify(Rule("choice", "first", PLACES), answer) is right


def test_a_choice_inside_a_longer_one_is_not_named() -> None:
    assert chosen("docs-old", ("docs", "docs-old")) == "docs-old"
    assert chosen("json.decoder", ("json", "json.decoder")) == "json.decoder"
    assert chosen("not-found", ("not-found", "docs")) == "not-found"
    assert chosen("New York", ("New", "New York")) == "New York"


@pytest.mark.parametrize(
    ("answer", "right"), [("self", True), (" self\n", True), ("Self", False), ("self.", False)]
)
def test_an_exact_answer_may_differ_in_spaces_only(answer: str, right: bool) -> None:
    assert verify(Rule("exact", "self"), answer) is right


def test_an_unknown_verifier_is_named() -> None:
    with pytest.raises(ValueError, match=r"unknown verifier 'guess'; known: choice, exact"):
        verify(Rule("guess", "x"), "x")
