r"""Repeated words -> what is cut from a text, in characters.

White space goes with the words, but one stretch of it stays where words stay on both sides: the
one with more line breaks, so that paragraphs do not run together.

>>> cut("Before.\n\nWas there already.\n\nAfter.", 9, 27)
(9, 29)
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from tasks.dedup.passes import Rows
from tasks.dedup.word_stream import blocks

Spans: TypeAlias = list[tuple[int, int]]

TEXT_SHIFT = 32  # a text has fewer words than 2**32
ZERO_WIDTH_SPACE = "\u200b"  # separates words, though `str.isspace` does not say so


def spans_by_text(texts: pa.Array, marks: Rows) -> Iterator[tuple[int, Spans]]:
    """Each text with MARKs: its row, and what to cut, in order and apart."""
    marks = marks[np.argsort(marks["text"], kind="stable")]
    rows, counts = np.unique(marks["text"], return_counts=True)
    runs = np.split(marks, np.cumsum(counts)[:-1])
    for begin, words in blocks(texts.take(pa.array(rows))):
        for index, shift in enumerate(words.text_words[:-1].tolist()):
            row, own = rows[begin + index].item(), runs[begin + index]
            text = texts[row].as_py()
            yield (
                row,
                [
                    cut(text, int(words.first[shift + first]), int(words.last[shift + last - 1]))
                    for first, last in merged(own[["first", "last"]].tolist())
                ],
            )


def canonical(marks: Rows) -> Rows:
    """The same words in as few MARKs as possible, in order, in whatever passes they were found."""
    marks = marks[np.lexsort((marks["first"], marks["text"]))]
    ends = np.maximum.accumulate((marks["text"] << TEXT_SHIFT) + marks["last"])
    begins = np.ones(len(marks), bool)
    begins[1:] = (marks["text"][1:] << TEXT_SHIFT) + marks["first"][1:] > ends[:-1]
    found = marks[begins]
    found["last"] = ends[np.append(begins[1:], True)[: len(marks)]] & ((1 << TEXT_SHIFT) - 1)
    return found


def merged(runs: Iterable[tuple[int, int]]) -> Spans:
    """Runs in order, with those that overlap or touch as one; ends are exclusive.

    >>> merged([(5, 9), (0, 3), (3, 4), (6, 12)])
    [(0, 4), (5, 12)]
    """
    apart: Spans = []
    for first, last in sorted(runs):
        if apart and first <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(last, apart[-1][1]))
        else:
            apart.append((first, last))
    return apart


def cut(text: str, start: int, end: int) -> tuple[int, int]:
    """The span to remove so that the words between `start` and `end` are gone."""
    left, right = start, end
    while left > 0 and is_space(text[left - 1]):
        left -= 1
    while right < len(text) and is_space(text[right]):
        right += 1
    if left == 0 or right == len(text):
        return left, right
    before, after = text[left:start], text[end:right]
    keeps_after = (after.count("\n"), bool(after)) > (before.count("\n"), bool(before))
    return (left, end) if keeps_after else (start, right)


def is_space(character: str) -> bool:
    """Whether a character separates words."""
    return character.isspace() or character == ZERO_WIDTH_SPACE
