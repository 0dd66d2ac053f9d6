"""Gopher's quality signals (Rae et al. 2021, arXiv 2112.11446, appendix A.1).

The paper gives limits, not measures; these are the measures, with words as `str.split()` gives
them, of datatrove's filter:

- `num_words` and `mean_word_length` leave out words that are all punctuation, `num_all_words` and
  the ratios do not;
- hash signs and ellipses ("..." without overlap, and the one character) are counted anywhere;
- lines are those of `str.splitlines()`; a bullet is a dot or a hyphen after leading white space;
- stop words are distinct, case-sensitive whole words.

One departure: punctuation is any character of Unicode's categories P, S and Cc, where the other
keeps a list; a bare bullet is no word here and one there.

Worked example, the lines "# The cat..." and "- of mats": 6 words, 4 of them more than punctuation,
with 3 + 6 + 2 + 4 = 15 characters; one hash sign and one ellipsis in 6 words; of 2 lines, one has a
bullet and one ends in an ellipsis; 4 of 6 words have a letter; of the stop words there is "of"
("The" is not "the").
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from tasks.quality.words import (
    LETTER,
    LINE_BREAK,
    SPACE,
    SUBSTANCE,
    Block,
    Characters,
    Flags,
    Hashes,
    Offsets,
    character_flags,
    text_hash,
)
from tasks.text import gopher_words

Counts: TypeAlias = npt.NDArray[np.int64]

# Doubles, for decisions compare them with limits such as 0.3, which a float32 of 3 / 10 exceeds.
SCHEMA = pa.schema(
    [
        ("num_chars", pa.int64()),
        ("num_all_words", pa.int64()),
        ("num_words", pa.int64()),
        ("mean_word_length", pa.float64()),
        ("hash_to_word_ratio", pa.float64()),
        ("ellipsis_to_word_ratio", pa.float64()),
        ("bullet_line_fraction", pa.float64()),
        ("ellipsis_line_fraction", pa.float64()),
        ("alpha_word_fraction", pa.float64()),
        ("num_stop_words", pa.int64()),
    ]
)

BULLETS = "\u2022-"
ELLIPSIS = "\u2026"
COUNTED = (
    "all_words", "words", "word_chars", "alpha_words", "stop_words",
    "hashes", "ellipses", "lines", "bullet_lines", "ellipsis_lines",
)  # fmt: skip

HASH_CHARACTER, DOT, ELLIPSIS_CHARACTER = ord("#"), ord("."), ord(ELLIPSIS)
DOT_BULLET, HYPHEN_BULLET = map(ord, BULLETS)
CARRIAGE_RETURN, LINE_FEED = ord("\r"), ord("\n")


def quality_signals(
    block: Block, stop_words: tuple[str, ...]
) -> dict[str, npt.NDArray[np.generic]]:
    """Return a column per field of SCHEMA for the documents of a block."""
    hashes = np.array([text_hash(word) for word in stop_words], np.uint64)
    counted = _count(
        block.characters, block.offsets, block.word_offsets, block.sums, block.inverses,
        block.lengths, block.flags, character_flags(), hashes,
    )  # fmt: skip
    count = dict(zip(COUNTED, counted.T, strict=True))
    return {
        "num_chars": np.diff(block.offsets),
        "num_all_words": count["all_words"],
        "num_words": count["words"],
        "mean_word_length": _divide(count["word_chars"], count["words"]),
        "hash_to_word_ratio": _divide(count["hashes"], count["all_words"]),
        "ellipsis_to_word_ratio": _divide(count["ellipses"], count["all_words"]),
        "bullet_line_fraction": _divide(count["bullet_lines"], count["lines"]),
        "ellipsis_line_fraction": _divide(count["ellipsis_lines"], count["lines"]),
        "alpha_word_fraction": _divide(count["alpha_words"], count["all_words"]),
        "num_stop_words": count["stop_words"],
    }


def plain_quality_signals(text: str, stop_words: tuple[str, ...]) -> dict[str, float]:
    """Return the signals of one text, by the definitions; slow."""
    every = gopher_words(text)
    flags = character_flags()
    words = [word for word in every if any(flags[ord(c)] & SUBSTANCE for c in word)]
    lines = text.splitlines()
    bullets = [line for line in lines if line.lstrip().startswith(tuple(BULLETS))]
    trailing = [line for line in lines if line.rstrip().endswith(("...", ELLIPSIS))]
    alphabetic = [word for word in every if any(c.isalpha() for c in word)]
    return {
        "num_chars": len(text),
        "num_all_words": len(every),
        "num_words": len(words),
        "mean_word_length": sum(map(len, words)) / max(len(words), 1),
        "hash_to_word_ratio": text.count("#") / max(len(every), 1),
        "ellipsis_to_word_ratio": (text.count("...") + text.count(ELLIPSIS)) / max(len(every), 1),
        "bullet_line_fraction": len(bullets) / max(len(lines), 1),
        "ellipsis_line_fraction": len(trailing) / max(len(lines), 1),
        "alpha_word_fraction": len(alphabetic) / max(len(every), 1),
        "num_stop_words": len(set(stop_words) & set(every)),
    }


def _divide(numerator: Counts, denominator: Counts) -> npt.NDArray[np.float64]:
    """Divide; nothing of nothing is 0."""
    quotient: npt.NDArray[np.float64] = numerator / np.maximum(denominator, 1)
    return quotient


@njit()
def _count_words(
    sums: Hashes, inverses: Hashes, lengths: Offsets, flags: Flags, stop_hashes: Hashes
) -> tuple[int, int, int, int]:
    """Return of one document's words: with substance, their characters, with a letter, stop words.

    `sums` and `lengths` have one entry more than the document has words.
    """
    words, chars, alphabetic = 0, 0, 0
    found, stop_words = np.zeros(len(stop_hashes), np.uint8), 0
    for k in range(len(flags)):
        if flags[k] & SUBSTANCE:
            words += 1
            chars += lengths[k + 1] - lengths[k]
        alphabetic += (flags[k] & LETTER) != 0
        word = (sums[k + 1] - sums[k]) * inverses[k]
        for stop in range(len(stop_hashes)):
            found[stop] |= word == stop_hashes[stop]
    for stop in range(len(stop_hashes)):
        stop_words += found[stop]
    return words, chars, alphabetic, stop_words


@njit()
def _count_symbols(characters: Characters) -> tuple[int, int]:
    """Return how many hash signs and how many ellipses one document has."""
    hashes, ellipses, dots = 0, 0, 0
    for character in characters:
        if character == DOT:
            dots += 1
            if dots == 3:
                ellipses += 1
                dots = 0
            continue
        dots = 0
        hashes += character == HASH_CHARACTER
        ellipses += character == ELLIPSIS_CHARACTER
    return hashes, ellipses


@njit()
def _ends_in_ellipsis(characters: Characters, start: int, last: int) -> bool:
    if characters[last] == ELLIPSIS_CHARACTER:
        return True
    return (
        last - start >= 2
        and characters[last] == DOT
        and characters[last - 1] == DOT
        and characters[last - 2] == DOT
    )


@njit()
def _count_lines(characters: Characters, flags_of: Flags) -> tuple[int, int, int]:
    """Return of one document's lines: all, those with a bullet, those that end in an ellipsis."""
    lines, bullets, trailing = 0, 0, 0
    start, first, last = 0, -1, -1  # of the line; of its first and last visible character
    for i in range(len(characters) + 1):
        at_end = i == len(characters)
        if not at_end and not flags_of[characters[i]] & LINE_BREAK:
            if not flags_of[characters[i]] & SPACE:
                first = i if first < 0 else first
                last = i
            continue
        if at_end and start == i:
            break  # nothing follows the last line break
        after_return = i > 0 and characters[i - 1] == CARRIAGE_RETURN
        if not at_end and characters[i] == LINE_FEED and after_return and start == i:
            start = i + 1  # the second half of a line break
            continue
        lines += 1
        if first >= 0:
            bullets += characters[first] == DOT_BULLET or characters[first] == HYPHEN_BULLET
            trailing += _ends_in_ellipsis(characters, start, last)
        start, first, last = i + 1, -1, -1
    return lines, bullets, trailing


@njit(
    "int64[:, ::1](uint32[::1], int64[::1], int64[::1], uint64[::1], uint64[::1], int64[::1], "
    "uint8[::1], uint8[::1], uint64[::1])",
    cache=True,
)
def _count(
    characters: Characters,
    offsets: Offsets,
    word_offsets: Offsets,
    sums: Hashes,
    inverses: Hashes,
    lengths: Offsets,
    flags: Flags,
    flags_of: Flags,
    stop_hashes: Hashes,
) -> Counts:
    """Return what is COUNTED, (N, len(COUNTED)), in the documents of a block."""
    counted = np.empty((len(offsets) - 1, len(COUNTED)), np.int64)
    for document in range(len(counted)):
        own, row = characters[offsets[document] : offsets[document + 1]], counted[document]
        start, end = word_offsets[document], word_offsets[document + 1]
        row[0] = end - start
        row[1], row[2], row[3], row[4] = _count_words(
            sums[start : end + 1], inverses[start:end], lengths[start : end + 1], flags[start:end],
            stop_hashes,
        )  # fmt: skip
        row[5], row[6] = _count_symbols(own)
        row[7], row[8], row[9] = _count_lines(own, flags_of)
    return counted
