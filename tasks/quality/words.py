"""A block of documents as the filters see it: characters, words between white space, and lines.

The kernels of this stage work on arrays that this file lays out. Text is hashed as a sum of
characters times powers of an odd number, modulo 2**64. Such sums can be cut: with the sum at every
word's edges, the hash of any run of words, written without spaces, is one difference and one
product away. Lines, parted by newlines, have hashes of their own, white space and all. Two
different texts have equal hashes once in 2**64 tries, unless somebody builds them to (Thue-Morse
words); all that would buy is a wrong repetition share.

Compiled functions call those of their own file only: numba's cache does not see others change.
"""

from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from tasks.quality.terminals import sentence_terminals
from tasks.text import categories, code_points

Characters: TypeAlias = npt.NDArray[np.uint32]
Offsets: TypeAlias = npt.NDArray[np.int64]
Hashes: TypeAlias = npt.NDArray[np.uint64]
Flags: TypeAlias = npt.NDArray[np.uint8]

# What a character is; flags of `character_flags` and, for a word, those of any of its characters.
SPACE = 1  # str.isspace
LETTER = 2  # str.isalpha
SUBSTANCE = 4  # no space and no punctuation: categories P, S and Cc count as punctuation
INSIDE = SPACE  # of a word: it has begun; no word has white space in it
LINE_BREAK = 8  # ends a line for str.splitlines
DECIMAL = 16  # str.isdecimal, what a regular expression calls \d
DIGIT = 32  # str.isdigit
CAPITAL = 64  # str.isupper
TERMINAL = 128  # ends a sentence, in any script

NEWLINE = ord("\n")
LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"

BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2**64
INVERSE = np.uint64(pow(int(BASE), -1, 2**64))


class Block(NamedTuple):
    """Some documents. Those of words are laid end to end, all others too.

    Arrays of words count from the first word of the first document; `sums` and `lengths` are
    running totals with one entry more than words, so word k is worth entry k + 1 less entry k.
    """

    characters: Characters
    offsets: Offsets  # (N + 1,) of the documents in `characters`
    word_offsets: Offsets  # (N + 1,) of the documents in the arrays below
    sums: Hashes  # (W + 1,) hash sums without the white space
    inverses: Hashes  # (W,) brings the difference of two sums back to a word's own place
    lengths: Offsets  # (W + 1,) characters without the white space
    flags: Flags  # (W,) what the word's characters are, together
    line_offsets: Offsets  # (N + 1,) of the documents in the arrays below
    line_ends: Offsets  # (L,) where a line's newline is in `characters`, or the document's end
    line_keys: Hashes  # (L,) hashes of the lines
    visible: Flags  # (L,) 1: not white space alone


@cache
def character_flags() -> Flags:
    """Return the flags of every code point; about 0.1 s, once per process."""
    spaces = np.strings.isspace(code_points())
    major = categories().view("S1")[::2]
    punctuation = (major == b"P") | (major == b"S") | (categories() == b"Cc")
    flags = np.zeros(len(spaces), np.uint8)
    flags[spaces] |= SPACE
    flags[np.strings.isalpha(code_points())] |= LETTER
    flags[~spaces & ~punctuation] |= SUBSTANCE
    flags[[ord(character) for character in LINE_BREAKS]] |= LINE_BREAK
    flags[np.strings.isdecimal(code_points())] |= DECIMAL
    flags[np.strings.isdigit(code_points())] |= DIGIT
    flags[np.strings.isupper(code_points())] |= CAPITAL
    flags[sentence_terminals()] |= TERMINAL
    return flags


def block(texts: list[str]) -> Block:
    """Lay out some texts; each character takes 4 bytes, each word 33, each line 17."""
    joined = "".join(texts).encode("utf-32-le", errors="surrogatepass")
    characters = np.frombuffer(joined, np.uint32).copy()
    offsets = np.cumsum([0, *map(len, texts)])
    capacity = (len(characters) + len(texts)) // 2 + 1  # a word and what ends it: two characters
    most_lines = np.count_nonzero(characters == NEWLINE) + len(texts)
    words = Block(
        characters,
        offsets,
        word_offsets=np.empty(len(texts) + 1, np.int64),
        sums=np.empty(capacity + 1, np.uint64),
        inverses=np.empty(capacity, np.uint64),
        lengths=np.empty(capacity + 1, np.int64),
        flags=np.empty(capacity, np.uint8),
        line_offsets=np.empty(len(texts) + 1, np.int64),
        line_ends=np.empty(most_lines, np.int64),
        line_keys=np.empty(most_lines, np.uint64),
        visible=np.empty(most_lines, np.uint8),
    )
    cut_words(character_flags(), *words)
    count = words.word_offsets[-1]
    return words._replace(
        sums=words.sums[: count + 1],
        inverses=words.inverses[:count],
        lengths=words.lengths[: count + 1],
        flags=words.flags[:count],
    )


def text_hash(text: str) -> int:
    """Return the hash of a text at its own place: what a word in `Block` comes to."""
    powers = [pow(int(BASE), place, 2**64) for place in range(len(text))]
    return sum((ord(c) + 1) * power for c, power in zip(text, powers, strict=True)) % 2**64


@njit(
    "void(uint8[::1], uint32[::1], int64[::1], int64[::1], uint64[::1], uint64[::1], int64[::1], "
    "uint8[::1], int64[::1], int64[::1], uint64[::1], uint8[::1])",
    cache=True,
)
def cut_words(
    flags_of: Flags,
    characters: Characters,
    offsets: Offsets,
    word_offsets: Offsets,
    sums: Hashes,
    inverses: Hashes,
    lengths: Offsets,
    flags: Flags,
    line_offsets: Offsets,
    line_ends: Offsets,
    line_keys: Hashes,
    visible: Flags,
) -> None:
    """Fill the arrays of words and lines."""
    count, line, length = 0, 0, 0
    sums[0], lengths[0], word_offsets[0], line_offsets[0] = 0, 0, 0, 0
    total, power, inverse = np.uint64(0), np.uint64(1), np.uint64(1)
    for document in range(len(offsets) - 1):
        inside, seen = np.uint8(0), np.uint8(0)  # what is in the word, in the line
        key = np.uint64(0)
        for i in range(offsets[document], offsets[document + 1]):
            character = np.uint64(characters[i])
            flag = flags_of[character]
            if flag & SPACE:
                if inside:
                    sums[count], lengths[count], flags[count - 1] = total, length, inside
                    inside = np.uint8(0)
                if character != NEWLINE:
                    key = key * BASE + character + np.uint64(1)
                    continue
                line_ends[line], line_keys[line], visible[line] = i, key, seen
                line += 1
                key, seen = np.uint64(0), np.uint8(0)
                continue
            if not inside:
                inverses[count] = inverse
                count += 1
                seen = np.uint8(1)
            inside |= flag | INSIDE
            key = key * BASE + character + np.uint64(1)
            total += (character + np.uint64(1)) * power
            power *= BASE
            inverse *= INVERSE
            length += 1
        if inside:
            sums[count], lengths[count], flags[count - 1] = total, length, inside
        word_offsets[document + 1] = count
        line_ends[line], line_keys[line], visible[line] = offsets[document + 1], key, seen
        line += 1
        line_offsets[document + 1] = line
