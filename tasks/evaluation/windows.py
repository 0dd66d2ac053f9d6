"""Cuts documents into windows that a model of limited context can score, each token once.

A document's first window has no context but <|endoftext|>. Every later window sees the end of the
one before again, and scores only what that one did not: with windows of 4 and an overlap of 2, a
document of <|endoftext|> and 8 tokens is scored as 1-4, 5-6 (after seeing 3-4), 7-8.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Window(NamedTuple):
    """Part of one document: inputs `start` to `end`, predicting `start + 1` to `end`, inclusive."""

    start: int  # first input, in tokens of the document
    end: int  # one past the last input; also the last predicted token
    scored_from: int  # first predicted token that counts


def cut(length: int, window_tokens: int, overlap: int) -> Iterator[Window]:
    """The windows of a document of `length` tokens, <|endoftext|> included."""
    if not 0 <= overlap < window_tokens:
        raise ValueError(f"overlap ({overlap}) must be below window_tokens ({window_tokens})")
    start, scored = 0, 1
    while scored < length:
        end = min(start + window_tokens, length - 1)
        yield Window(start, end, scored)
        scored = end + 1
        start += window_tokens - overlap


def choose(lengths: Iterable[int], max_tokens: int) -> list[int]:
    """Which of the documents, in the given order, to score: as many whole ones as fit.

    A document that no longer fits is left out and later, shorter ones may still fit; the first one
    always counts. Lengths 5, 7, 2 with 8 tokens give the first and the third.
    """
    chosen: list[int] = []
    total = 0
    for number, length in enumerate(lengths):
        if not chosen or total + length <= max_tokens:
            chosen.append(number)
            total += length
    return chosen
