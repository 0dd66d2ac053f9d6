"""Finding phrases in a text, whatever their case, in one walk over its characters.

After Aho and Corasick, "Efficient string matching" (1975): the phrases become an automaton whose
state is the longest beginning of a phrase that the text read so far ends with. One look into a
table per character finds all phrases at once. Phrases are lower-case ASCII; characters beyond ASCII
are in none.

Worked example, the phrases "ab" and "b": the text "aB" passes "a", where nothing is found, and
comes to "ab", where both are: flags 1 and 2, together 3.
"""

from collections import deque
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

States: TypeAlias = npt.NDArray[np.uint32]
Flags: TypeAlias = npt.NDArray[np.uint8]

NUM_CHARACTERS = 128
LAST_CHARACTER = np.uint32(NUM_CHARACTERS - 1)
PLACE_BITS = np.uint32(7)  # the place of state s is s << 7


class Automaton(NamedTuple):
    """Where each character leads from each state, and what a state has found.

    State s begins at place 128 * s, so that a step is `moves[place + min(character, 127)]`:
    characters beyond ASCII do as the last of it does, which is in no phrase.
    """

    moves: States  # (S * 128,) the place of the next state
    found: Flags  # (S,) the flags of all phrases that end here


@cache
def automaton(phrases: tuple[tuple[str, int], ...]) -> Automaton:
    """Build the automaton of phrases with their flags (bits; several phrases may share one)."""
    children: list[dict[str, int]] = [{}]
    found = [0]
    for phrase, flag in phrases:
        state = 0
        for character in phrase:
            if character not in children[state]:
                children[state][character] = len(children)
                children.append({})
                found.append(0)
            state = children[state][character]
        found[state] |= flag
    moves = np.zeros((len(children), NUM_CHARACTERS), np.uint32)
    waiting = deque([(0, 0)])  # a state, and that of its longest proper ending
    while waiting:
        state, ending = waiting.popleft()
        found[state] |= found[ending]
        moves[state] = moves[ending] if state else 0
        for character, child in children[state].items():
            waiting.append((child, int(moves[ending, ord(character)]) if state else 0))
        for character, child in children[state].items():
            moves[state, ord(character)] = child
    capitals = slice(ord("A"), ord("Z") + 1)
    moves[:, capitals] = moves[:, ord("a") : ord("z") + 1]
    return Automaton(moves.ravel() * np.uint32(NUM_CHARACTERS), np.array(found, np.uint8))
