"""The automaton of phrases: by hand, and against looking for each phrase."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.quality.phrases import LAST_CHARACTER, NUM_CHARACTERS, PLACE_BITS, Automaton, automaton

# Phrases inside of phrases, and with common beginnings and endings.
PHRASES = ("ab", "b", "abab", "bab a", "{", "a b")


def flags(phrases: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    return tuple((phrase, 1 << number) for number, phrase in enumerate(phrases))


def seen(text: str, built: Automaton) -> int:
    state, found = 0, 0
    for character in text:
        state = int(built.moves[state + min(ord(character), int(LAST_CHARACTER))])
        found |= int(built.found[state >> int(PLACE_BITS)])
    return found


def test_the_worked_example() -> None:
    built = automaton((("ab", 1), ("b", 2)))
    assert [seen(text, built) for text in ("a", "aB", "b", "aéb", "ba")] == [0, 3, 2, 2, 2]
    assert len(built.moves) == NUM_CHARACTERS * len(built.found) == NUM_CHARACTERS * 4


@given(st.text(alphabet="abAB {é\x7f\n", max_size=20))
def test_it_finds_what_is_there(text: str) -> None:
    folded = text.replace("A", "a").replace("B", "b")
    expected = sum(flag for phrase, flag in flags(PHRASES) if phrase in folded)
    assert seen(text, automaton(flags(PHRASES))) == expected


def test_without_phrases_nothing_is_found() -> None:
    assert seen("anything", automaton(())) == 0
