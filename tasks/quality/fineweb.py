"""FineWeb's own signals (Penedo et al. 2024, arXiv 2406.17557), as datatrove measures them.

The filter that made FineWeb and the one of today count differently, so two signals come twice:

- version 1: of all lines, the share that ends with . ' " ! or ?, and the share of at most 30
  characters; an empty line is a short one;
- version 2 (since FineWeb-2): of the lines that are not blank, the share that ends with a character
  which ends a sentence in some script, quotes not among them, and the share of at most 30
  characters.

The other two are the same in both: the characters of lines, blank ones aside, from their second
copy on, over all characters but newlines; and newlines per word. Lines are parted by newlines, and
are taken as they are: white space at the end hides a mark. Words are those between white space.

Worked example, the lines "She said: 'yes.'", "", "Go on.", "Go on." and "menu": of 5 lines, version
1 finds 3 with a mark and 5 short ones; version 2, of 4, finds 2 and 4. "Go on." is repeated: 6 of
32 characters. 4 newlines come to 8 words.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from tasks.quality.words import (
    TERMINAL,
    Block,
    Characters,
    Flags,
    Hashes,
    Offsets,
    character_flags,
)
from tasks.text import gopher_words

Slots: TypeAlias = npt.NDArray[np.int32]

SCHEMA = pa.schema(
    [
        ("fineweb_v1_marked_line_fraction", pa.float64()),
        ("fineweb_v1_short_line_fraction", pa.float64()),
        ("fineweb_v2_marked_line_fraction", pa.float64()),
        ("fineweb_v2_short_line_fraction", pa.float64()),
        ("fineweb_dup_line_char_fraction", pa.float64()),
        ("newline_to_word_ratio", pa.float64()),
    ]
)

V1_MARKS = ".'\"!?"
DOT, APOSTROPHE, QUOTE, EXCLAMATION, QUESTION = map(ord, V1_MARKS)
SPREAD = np.uint64(0xD6E8FEB86659FD93)
HALF = np.uint64(32)


def fineweb_signals(block: Block, short_line_chars: int) -> dict[str, npt.NDArray[np.float64]]:
    """Return a column per field of SCHEMA for the documents of a block."""
    shares = _measure(
        character_flags(), short_line_chars, block.characters, block.offsets, block.word_offsets,
        block.line_offsets, block.line_ends, block.line_keys, block.visible,
    )  # fmt: skip
    return dict(zip(SCHEMA.names, shares.T, strict=True))


def plain_fineweb_signals(text: str, short_line_chars: int) -> dict[str, float]:
    """Return the signals of one text, by the definitions; slow."""
    flags = character_flags()
    lines = text.split("\n")
    visible = [line for line in lines if line.strip()]
    seen: set[str] = set()
    repeated = [line for line in visible if line in seen or seen.add(line)]  # type: ignore[func-returns-value]
    v1_marked = [line for line in lines if line.endswith(tuple(V1_MARKS))]
    v2_marked = [line for line in visible if flags[ord(line[-1])] & TERMINAL]
    v1_short = [line for line in lines if len(line) <= short_line_chars]
    v2_short = [line for line in visible if len(line) <= short_line_chars]
    newlines = len(lines) - 1
    return {
        "fineweb_v1_marked_line_fraction": len(v1_marked) / len(lines),
        "fineweb_v1_short_line_fraction": len(v1_short) / len(lines),
        "fineweb_v2_marked_line_fraction": len(v2_marked) / max(len(visible), 1),
        "fineweb_v2_short_line_fraction": len(v2_short) / max(len(visible), 1),
        "fineweb_dup_line_char_fraction": sum(map(len, repeated)) / max(len(text) - newlines, 1),
        "newline_to_word_ratio": newlines / max(len(gopher_words(text)), 1),
    }


@njit()
def _is_new(table: Slots, keys: Hashes, index: int) -> bool:
    """Put the key at an index into an open hash table of a power of two, unless it is there."""
    key, mask = keys[index], np.uint64(len(table) - 1)
    place = ((key ^ (key >> HALF)) * SPREAD >> HALF) & mask
    while table[place] != 0:
        if keys[table[place] - 1] == key:
            return False
        place = (place + np.uint64(1)) & mask
    table[place] = index + 1
    return True


@njit()
def _read_lines(
    characters: Characters,
    start: int,
    ends: Offsets,
    keys: Hashes,
    visible: Flags,
    flags_of: Flags,
    short: int,
) -> tuple[int, int, int, int, int, int]:
    """Return visible lines; marked and short ones by both versions; characters of repeated lines.

    The lines are those of one document, which begins at `start`.
    """
    size = 4
    while size < 2 * len(ends):
        size *= 2
    table = np.zeros(size, np.int32)
    seen, v1_marked, v1_short, v2_marked, v2_short, repeated = 0, 0, 0, 0, 0, 0
    for line in range(len(ends)):
        length = ends[line] - start
        is_short = length <= short
        v1_short += is_short
        if visible[line]:
            last = characters[ends[line] - 1]
            v1_marked += last in (DOT, APOSTROPHE, QUOTE, EXCLAMATION, QUESTION)
            v2_marked += (flags_of[last] & TERMINAL) != 0
            v2_short += is_short
            repeated += 0 if _is_new(table, keys, line) else length
            seen += 1
        start = ends[line] + 1
    return seen, v1_marked, v1_short, v2_marked, v2_short, repeated


@njit(
    "float64[:, ::1](uint8[::1], int64, uint32[::1], int64[::1], int64[::1], int64[::1], "
    "int64[::1], uint64[::1], uint8[::1])",
    cache=True,
)
def _measure(
    flags_of: Flags,
    short: int,
    characters: Characters,
    offsets: Offsets,
    word_offsets: Offsets,
    line_offsets: Offsets,
    line_ends: Offsets,
    line_keys: Hashes,
    visible: Flags,
) -> npt.NDArray[np.float64]:
    """Return the shares (N, fields of SCHEMA) of the documents of a block."""
    shares = np.empty((len(offsets) - 1, 6), np.float64)
    for document in range(len(shares)):
        row = shares[document]
        first, last = line_offsets[document], line_offsets[document + 1]
        seen, v1_marked, v1_short, v2_marked, v2_short, repeated = _read_lines(
            characters, offsets[document], line_ends[first:last], line_keys[first:last],
            visible[first:last], flags_of, short,
        )  # fmt: skip
        newlines = last - first - 1
        row[0], row[1] = v1_marked / (newlines + 1), v1_short / (newlines + 1)
        row[2], row[3] = v2_marked / max(seen, 1), v2_short / max(seen, 1)
        row[4] = repeated / max(offsets[document + 1] - offsets[document] - newlines, 1)
        row[5] = newlines / max(word_offsets[document + 1] - word_offsets[document], 1)
    return shares
