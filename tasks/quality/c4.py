"""C4's rules (Raffel et al. 2020, section 2.2) for lines and documents, in datatrove's measures.

A line, as `str.splitlines()` gives it and stripped, is cut by the first of these that holds:

1. it has a word of more than `max_word_chars` characters;
2. without its citations ("[1]", "[]", "[edit]", "[citation needed]") it does not end with one of
   the terminal marks, or ends with three dots;
3. it had fewer than `min_words` words before that;
4. it says "javascript", or one of the policy phrases, in any case.

Of the lines that pass 1 to 3, those with "lorem ipsum" and, unless they say "javascript", those
with a curly bracket are counted; a document with one is dropped. Sentences are counted over the
lines that pass all four, in two ways:

- by marks: every run of marks that end a sentence in any script, with the quote after it, as in
  datatrove's tokenizer for scripts without rules. "3.5 e.g. J. Doe." has 4: "3.", "5 e.", "g." and
  " J. Doe.", for the dot of a single capital ends nothing when another mark follows in the line;
- by spacing: only marks before white space or the line's end count, and what is left over at the
  end is a sentence. The same line has 3: "3.5 e.g.", "J." and "Doe.".

Worked example, the lines "Hello there, world. [1]", "One two three! Four.", "Read our privacy
policy today." and "menu": the first is cut, for a blank is left at its end; the third for its
policy; the last for its end. The second has 2 sentences.
"""

import re
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from pipeline_config.edits import C4LineRules
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
    LINE_BREAK,
    SPACE,
    TERMINAL,
    Block,
    Characters,
    Offsets,
    character_flags,
)

Counts: TypeAlias = npt.NDArray[np.int64]
Scalar: TypeAlias = Any  # a number inside a kernel

SCHEMA = pa.schema(
    [
        ("num_c4_lines", pa.int64()),
        ("num_c4_sentences", pa.int64()),
        ("num_c4_spaced_sentences", pa.int64()),
        ("num_lorem_ipsum_lines", pa.int64()),
        ("num_curly_bracket_lines", pa.int64()),
    ]
)

# What an automaton finds in a line.
JAVASCRIPT, POLICY, LOREM_IPSUM, CURLY_BRACKET = 1, 2, 4, 8

# What becomes of a line.
KEPT, LONG_WORD, NO_TERMINAL, FEW_WORDS, HAS_JAVASCRIPT, HAS_POLICY, BLANK = range(7)
REASONS = (
    "", "c4_long_word", "c4_no_terminal", "c4_few_words", "c4_javascript", "c4_policy", "c4_blank",
)  # fmt: skip
CITATION = re.compile(r"\[(?:\d*|edit|citation needed)\]")
CITATION_REASON = "c4_citation"

OPENING, CLOSING, DOT, BLANK_CHARACTER = ord("["), ord("]"), ord("."), ord(" ")
NAMED_CITATIONS = np.array(list(map(ord, "edit]citation needed]")), np.uint32)
EDIT_CHARS = len("edit]")
CARRIAGE_RETURN, LINE_FEED = ord("\r"), ord("\n")
# After a mark, they belong to the sentence: by marks, the first three, and one of them only.
CLOSERS = "\"'\u201d\u2019)]"
QUOTE, APOSTROPHE, HIGH_QUOTE, HIGH_APOSTROPHE, BRACKET, SQUARE_BRACKET = map(ord, CLOSERS)
NO_LIMIT = 2**62

# How far a sentence is.
NOTHING, OPEN, CAPITAL_LAST, MARKED = range(4)


class LineLimits(NamedTuple):
    """C4LineRules as a kernel reads them."""

    moves: States
    found: Flags
    marks: Characters  # (M,) empty: any end will do
    min_words: int
    max_word_chars: int
    citations: bool


@cache
def line_limits(rules: C4LineRules) -> LineLimits:
    """Return the rules' numbers and the automaton of their phrases."""
    phrases = [("lorem ipsum", LOREM_IPSUM), ("{", CURLY_BRACKET)]
    if rules.javascript:
        phrases.append(("javascript", JAVASCRIPT))
    phrases += [(phrase, POLICY) for phrase in rules.policy_phrases]
    built: Automaton = automaton(tuple(phrases))
    marks = np.array([ord(mark) for mark in rules.terminal_marks or ""], np.uint32)
    longest = NO_LIMIT if rules.max_word_chars is None else rules.max_word_chars
    return LineLimits(*built, marks, rules.min_words, longest, rules.citations)


def c4_signals(block: Block, rules: C4LineRules) -> dict[str, Counts]:
    """Return a column per field of SCHEMA for the documents of a block."""
    limits = line_limits(rules)
    counted = _count(block.characters, block.offsets, character_flags(), *limits)
    return dict(zip(SCHEMA.names, counted.T, strict=True))


def c4_line_edits(text: str, rules: C4LineRules) -> list[tuple[int, int, str]]:
    """Return the spans (start, end, reason) of characters that the line rules cut, in order.

    A line goes with its line break; of a line that stays, only citations go.
    """
    if not (rules.enabled and text):
        return []
    characters = np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), np.uint32).copy()
    lines = _judge(characters, character_flags(), *line_limits(rules))
    cite = rules.citations and "[" in text
    spans = []
    for start, end, following, verdict in lines.tolist():
        if verdict != KEPT:
            spans.append((start, following, REASONS[verdict]))
        elif cite:
            found = CITATION.finditer(text, start, end)
            spans += [(*citation.span(), CITATION_REASON) for citation in found]
    return spans


# ---- compiled


@njit()
def _citation_length(characters: Characters, start: int, flags_of: Flags) -> int:
    """The characters of the citation that begins at an opening bracket, or 0."""
    i, size = start + 1, len(characters)
    while i < size and flags_of[characters[i]] & DECIMAL:
        i += 1
    if i < size and characters[i] == CLOSING:
        return i + 1 - start
    for first, last in ((0, EDIT_CHARS), (EDIT_CHARS, len(NAMED_CITATIONS))):
        length = last - first
        if start + length < size:
            same = 0
            while same < length and characters[start + 1 + same] == NAMED_CITATIONS[first + same]:
                same += 1
            if same == length:
                return 1 + length
    return 0


@njit()
def _is_closer(character: Scalar) -> Scalar:
    return character in (
        QUOTE, APOSTROPHE, HIGH_QUOTE, HIGH_APOSTROPHE, BRACKET, SQUARE_BRACKET
    )  # fmt: skip


@njit()
def _step_by_marks(phase: int, dotted: int, character: Scalar, flag: Scalar) -> tuple[int, int]:
    """One character further: the phase, and whether the dot of a single capital was passed."""
    if phase == MARKED:
        if flag & TERMINAL:
            return MARKED, 0
        if character in (QUOTE, APOSTROPHE, HIGH_QUOTE):
            return NOTHING, 0
    elif phase == CAPITAL_LAST and character == DOT:
        return OPEN, 1
    elif phase != NOTHING and flag & TERMINAL:
        return MARKED, 0
    return CAPITAL_LAST if flag & CAPITAL else OPEN, dotted


@njit()
def _step_by_spacing(phase: int, character: Scalar, flag: Scalar) -> int:
    if flag & TERMINAL or (phase == MARKED and _is_closer(character)):
        return MARKED
    return OPEN


@njit()
def _judge_line(
    words: int,
    longest: int,
    last: Scalar,
    dots: int,
    seen: int,
    marks: Characters,
    min_words: int,
    max_word_chars: int,
) -> int:
    """What becomes of a line, whose last character is `last`."""
    if longest > max_word_chars:
        return LONG_WORD
    if len(marks):
        ends = False
        for mark in marks:
            ends |= last == mark
        if not ends or dots >= 3:
            return NO_TERMINAL if words else BLANK
    if words < min_words:
        return FEW_WORDS if words else BLANK
    if seen & JAVASCRIPT:
        return HAS_JAVASCRIPT
    return HAS_POLICY if seen & POLICY else KEPT


@njit()
def _read_cited_line(
    characters: Characters,
    start: int,
    flags_of: Flags,
    moves: States,
    found: Flags,
    marks: Characters,
    min_words: int,
    max_word_chars: int,
) -> Any:
    """Do the same character by character, passing over citations, but for the words.

    White space counts once something follows it.
    """
    words, run, longest = 0, 0, 0
    state, seen = np.uint32(0), 0
    skip_until, spaces = start, 0
    last, dots = np.uint32(0), 0  # the last character, and how many dots it ends
    phase, dotted, by_marks = NOTHING, 0, 0
    spaced, by_spacing = NOTHING, 0
    i = start
    while i < len(characters):
        character = characters[i]
        flag = flags_of[character]
        if flag & SPACE:
            if flag & LINE_BREAK:
                break
            run = 0
            if words and i >= skip_until:
                spaces += 1
                state = moves[state + min(character, LAST_CHARACTER)]
            i += 1
            continue
        words += run == 0
        run += 1
        longest = max(longest, run)
        if i >= skip_until:
            if spaces:
                last, dots = np.uint32(BLANK_CHARACTER), 0
                phase, dotted = _step_by_marks(phase, dotted, BLANK_CHARACTER, 0)
                by_spacing += spaced == MARKED
                spaced = NOTHING if spaced == MARKED else spaced
                spaces = 0
            if character == OPENING:
                skip_until = i + _citation_length(characters, i, flags_of)
        if i >= skip_until:
            state = moves[state + min(character, LAST_CHARACTER)]
            seen |= found[state >> PLACE_BITS]
            last, dots = character, dots + 1 if character == DOT else 0
            before = phase
            phase, dotted = _step_by_marks(phase, dotted, character, flag)
            by_marks += phase == MARKED and before != MARKED
            spaced = _step_by_spacing(spaced, character, flag)
        i += 1
    by_marks = max(by_marks + (dotted != 0 and phase != MARKED), 1)
    by_spacing += spaced != NOTHING
    verdict = _judge_line(words, longest, last, dots, seen, marks, min_words, max_word_chars)
    return i, verdict, seen, by_marks, by_spacing


@njit()
def _mark_by_marks(text: Characters, i: int, first: int, found: Any, flags_of: Flags) -> Any:
    """The mark at `i`, by marks: sentences, whether a dot was a single capital's, the run's end.

    `found` is the same as of the mark before; the line's text begins at `first`.
    """
    sentences, dotted, run_end = found
    if i == run_end:
        return sentences, dotted, i + 1
    begin = first
    if run_end >= 0:
        begin = run_end + (text[run_end] in (QUOTE, APOSTROPHE, HIGH_QUOTE))
    if i <= begin:
        return found
    if text[i] == DOT and flags_of[text[i - 1]] & CAPITAL:
        return sentences, True, run_end
    return sentences + 1, False, i + 1


@njit()
def _mark_by_spacing(text: Characters, i: int, found: Any, flags_of: Flags) -> Any:
    """The mark at `i`, by spacing: sentences, what is looked at so far, where the last one ends."""
    sentences, looked_to, end = found
    if i < looked_to:
        return found
    looked_to = _after_closers(text, i, flags_of)
    if looked_to == len(text) or flags_of[text[looked_to]] & SPACE:
        return sentences + 1, looked_to, looked_to
    return sentences, looked_to, end


@njit()
def _dots_before(text: Characters, first: int, after: int) -> int:
    """How many dots there are before `after`, three at most and none before `first`."""
    dots = 0
    while dots < 3 and after - dots > first and text[after - 1 - dots] == DOT:
        dots += 1
    return dots


@njit()
def _after_closers(characters: Characters, i: int, flags_of: Flags) -> int:
    """The first place from `i` on with neither a mark nor what closes a sentence after it."""
    while i < len(characters):
        if not (flags_of[characters[i]] & TERMINAL or _is_closer(characters[i])):
            break
        i += 1
    return i


@njit()
def _read_line(
    characters: Characters,
    start: int,
    flags_of: Flags,
    moves: States,
    found: Flags,
    marks: Characters,
    min_words: int,
    max_word_chars: int,
    citations: bool,
) -> Any:
    """Read the line at `start`: its end, its verdict, what is seen in it, sentences in both ways.

    Looks closer at marks only; a line with a citation is read again, passing over it.
    """
    text = characters[start:]
    end, words, longest, word_start, first, after = len(text), 0, 0, -1, -1, 0
    state, seen = np.uint64(0), 0
    by_marks, by_spacing = (0, False, -1), (0, 0, 0)
    for i in range(len(text)):
        character = text[i]
        flag = flags_of[character]
        state = moves[state + min(character, LAST_CHARACTER)]
        seen |= found[state >> PLACE_BITS]
        if flag & SPACE:
            if word_start >= 0:
                longest = max(longest, i - word_start)
                word_start, after = -1, i
            if flag & LINE_BREAK:
                end = i
                break
            continue
        if word_start < 0:
            word_start = i
            words += 1
            first = max(first, 0 if words > 1 else i)
        if flag & TERMINAL:
            by_marks = _mark_by_marks(text, i, first, by_marks, flags_of)
            by_spacing = _mark_by_spacing(text, i, by_spacing, flags_of)
        elif character == OPENING and citations and _citation_length(text, i, flags_of):
            return _read_cited_line(
                characters, start, flags_of, moves, found, marks, min_words, max_word_chars
            )
    if word_start >= 0:
        longest, after = max(longest, end - word_start), end
    last = text[after - 1] if words else np.uint32(0)
    dots = _dots_before(text, first, after)
    verdict = _judge_line(words, longest, last, dots, seen, marks, min_words, max_word_chars)
    num_by_spacing = by_spacing[0] + (after > by_spacing[2] and words > 0)
    return start + end, verdict, seen, max(by_marks[0] + by_marks[1], 1), num_by_spacing


@njit()
def _after_break(characters: Characters, end: int) -> int:
    """Where the next line begins."""
    size = len(characters)
    pair = (
        end + 1 < size and characters[end] == CARRIAGE_RETURN and characters[end + 1] == LINE_FEED
    )
    return min(end + 1 + pair, size)


@njit(
    "int64[:, ::1](uint32[::1], int64[::1], uint8[::1], uint32[::1], uint8[::1], uint32[::1], "
    "int64, int64, boolean)",
    cache=True,
)
def _count(
    characters: Characters,
    offsets: Offsets,
    flags_of: Flags,
    moves: States,
    found: Flags,
    marks: Characters,
    min_words: int,
    max_word_chars: int,
    citations: bool,
) -> Counts:
    """Return the signals (N, fields of SCHEMA) of the documents of a block."""
    counted = np.zeros((len(offsets) - 1, 5), np.int64)
    for document in range(len(counted)):
        own, row = characters[offsets[document] : offsets[document + 1]], counted[document]
        start = 0
        while start < len(own):
            end, verdict, seen, by_marks, by_spacing = _read_line(
                own, start, flags_of, moves, found, marks, min_words, max_word_chars, citations
            )
            start = _after_break(own, end)
            if verdict == KEPT:
                row[0] += 1
                row[1] += by_marks
                row[2] += by_spacing
            if verdict in (KEPT, HAS_JAVASCRIPT, HAS_POLICY):
                row[3] += (seen & LOREM_IPSUM) != 0
                row[4] += (seen & CURLY_BRACKET) != 0 and verdict != HAS_JAVASCRIPT
    return counted


@njit(
    "int64[:, ::1](uint32[::1], uint8[::1], uint32[::1], uint8[::1], uint32[::1], int64, int64, "
    "boolean)",
    cache=True,
)
def _judge(
    characters: Characters,
    flags_of: Flags,
    moves: States,
    found: Flags,
    marks: Characters,
    min_words: int,
    max_word_chars: int,
    citations: bool,
) -> Counts:
    """Return of every line where it starts and ends, where the next one starts, its verdict."""
    most = 1
    for character in characters:
        most += (flags_of[character] & LINE_BREAK) != 0
    lines = np.empty((most, 4), np.int64)
    number, start = 0, 0
    while start < len(characters):
        end, verdict, _, _, _ = _read_line(
            characters, start, flags_of, moves, found, marks, min_words, max_word_chars, citations
        )
        following = _after_break(characters, end)
        lines[number, 0], lines[number, 1] = start, end
        lines[number, 2], lines[number, 3] = following, verdict
        number += 1
        start = following
    return lines[:number]
