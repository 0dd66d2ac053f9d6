"""RefinedWeb's line rules (Penedo et al. 2023, arXiv 2306.01116, appendix G.2).

The paper names the rules without numbers; the numbers are those of DCLM's reproduction (Li et al.
2024). Lines are parted by newlines. Cut are, in this order:

- newlines beyond the second in a row;
- lines more than half of whose characters are capitals, and lines of digits alone;
- lines that only count something ("3 likes", "1.2K shares");
- lines of one word; empty lines stay;
- in lines of at most ten words: "items in cart" anywhere, "Read more..." at the end and "Sign-in"
  at the beginning, with the white space beside it, and the whole line if nothing else is in it.

One departure: phrases are taken literally, where DCLM's dots match any character.

Worked example, the lines "A short story", "SIGN UP NOW", "2023", "12 likes", "Home" and "It begins
here. Read more...": only the first stays as it is, and of the last "It begins here.".
"""

import re
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from pipeline_config.edits import RefinedWebLineRules
from tasks.quality.phrases import (
    LAST_CHARACTER,
    PLACE_BITS,
    Automaton,
    Flags,
    States,
    automaton,
)
from tasks.quality.words import (
    CAPITAL,
    DECIMAL,
    DIGIT,
    LETTER,
    SPACE,
    Characters,
    character_flags,
)

Span: TypeAlias = tuple[int, int, str]

COUNTER = re.compile(
    r"\W*\d[,.\d]*[kmb]?\s+(?:likes|shares|comments|retweets|reposts|quotes|bookmarks|upvotes"
    r"|downvotes|downloads|views|followers)\W*",
    re.IGNORECASE,
)
NEWLINE = ord("\n")

# What becomes of a line.
KEPT, UPPERCASE, DIGITS, FEW_WORDS, NEWLINES, COUNTS, PHRASE = range(7)
HAS_PHRASE, DIGIT_FIRST = 1, 2  # what is seen in it: the first letter or digit is a digit
REASONS = ("", *(f"refinedweb_{name}" for name in (
    "uppercase", "digits", "few_words", "newlines", "counter", "phrase"
)))  # fmt: skip


@cache
def phrase_patterns(rules: RefinedWebLineRules) -> list[re.Pattern[str]]:
    """Return the patterns of phrases anywhere, last and first, as far as there are phrases."""
    where = (
        (rules.phrases_anywhere, "\\s?(?:{})"),
        (rules.phrases_last, "\\s?(?:{})$"),
        (rules.phrases_first, "^(?:{})\\s?"),
    )
    return [
        re.compile(pattern.format("|".join(map(re.escape, phrases))), re.IGNORECASE)
        for phrases, pattern in where
        if phrases
    ]


@cache
def phrase_automaton(rules: RefinedWebLineRules) -> Automaton:
    """Return what finds every phrase, wherever it is."""
    phrases = (*rules.phrases_anywhere, *rules.phrases_last, *rules.phrases_first)
    return automaton(tuple((phrase, HAS_PHRASE) for phrase in phrases))


def refinedweb_line_edits(text: str, rules: RefinedWebLineRules) -> list[Span]:
    """Return the spans (start, end, reason) of characters that the line rules cut, in order."""
    if not (rules.enabled and text):
        return []
    characters = np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), np.uint32).copy()
    most = 1.0 if rules.max_uppercase_fraction is None else rules.max_uppercase_fraction
    most_newlines = len(text) if rules.max_newlines is None else rules.max_newlines
    lines = _judge(
        characters,
        character_flags(),
        *phrase_automaton(rules),
        most,
        rules.digit_lines,
        rules.min_words,
        most_newlines,
    )
    spans: list[Span] = []
    for start, end, verdict, seen in lines[lines[:, 2:].any(axis=1)].tolist():
        following = min(end + 1, len(text))
        if verdict in (UPPERCASE, DIGITS, NEWLINES):
            spans.append((start, following, REASONS[verdict]))
        elif rules.counter_lines and seen & DIGIT_FIRST and COUNTER.fullmatch(text, start, end):
            spans.append((start, following, REASONS[COUNTS]))
        elif verdict == FEW_WORDS:
            spans.append((start, following, REASONS[FEW_WORDS]))
        elif seen & HAS_PHRASE:
            spans += _cut_phrases(text, start, end, rules)
    return spans


def removed_word_fraction(text: str, spans: list[Span]) -> float:
    """Return the share of a text's words that cutting `spans` takes away, 0 of no words."""
    pieces, position = [], 0
    for start, end, _ in spans:
        pieces.append(text[position:start])
        position = end
    words, left = len(text.split()), len("".join([*pieces, text[position:]]).split())
    return (words - left) / max(words, 1)


def _cut_phrases(text: str, start: int, end: int, rules: RefinedWebLineRules) -> list[Span]:
    """The cuts in one line with phrases: none if it is long, all of it if nothing is left."""
    line = text[start:end]
    places = list(range(start, end))  # where the characters that are left come from
    for pattern in phrase_patterns(rules):
        if len(line.split()) > rules.max_phrase_line_words:
            break
        for match in reversed(list(pattern.finditer(line))):
            del places[match.start() : match.end()]
            line = line[: match.start()] + line[match.end() :]
    if not line.strip():
        return [(start, min(end + 1, len(text)), REASONS[PHRASE])]
    left, spans, position = set(places), [], start
    while position < end:
        stop = position
        while stop < end and stop not in left:
            stop += 1
        if stop > position:
            spans.append((position, stop, REASONS[PHRASE]))
        position = stop + 1
    return spans


@njit(
    "int64[:, ::1](uint32[::1], uint8[::1], uint32[::1], uint8[::1], float64, boolean, int64, "
    "int64)",
    cache=True,
)
def _judge(
    characters: Characters,
    flags_of: Flags,
    moves: States,
    found: Flags,
    max_uppercase: float,
    digit_lines: bool,
    min_words: int,
    max_newlines: int,
) -> npt.NDArray[np.int64]:
    """Return of every line where it starts and ends, its verdict so far, and what is seen in it."""
    size = len(characters)
    most = 1
    for character in characters:
        most += character == NEWLINE
    lines = np.empty((most, 4), np.int64)
    number, start, newlines = 0, 0, 0
    capitals, digits, words, inside = 0, 0, 0, False
    state, seen, first = np.uint32(0), 0, True
    for i in range(size + 1):
        if i < size and characters[i] != NEWLINE:
            flag = flags_of[characters[i]]
            state = moves[state + min(characters[i], LAST_CHARACTER)]
            seen |= found[state >> PLACE_BITS]
            if first and flag & (LETTER | DECIMAL):
                first = False
                seen |= DIGIT_FIRST if flag & DECIMAL else 0
            capitals += (flag & CAPITAL) != 0
            digits += (flag & DIGIT) != 0
            words += not inside and not flag & SPACE
            inside = not flag & SPACE
            continue
        length = i - start
        verdict = KEPT
        if length == 0:
            verdict = NEWLINES if i < size and newlines >= max_newlines else KEPT
        elif capitals > max_uppercase * length:
            verdict = UPPERCASE
        elif digit_lines and digits == length:
            verdict = DIGITS
        elif words < min_words:
            verdict = FEW_WORDS
        newlines = 1 if length else newlines + 1
        lines[number, 0], lines[number, 1] = start, i
        lines[number, 2], lines[number, 3] = verdict, seen
        number += 1
        start = i + 1
        capitals, digits, words, inside = 0, 0, 0, False
        state, seen, first = np.uint32(0), 0, True
    return lines
