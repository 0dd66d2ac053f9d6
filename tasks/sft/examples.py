"""Conversations as training examples: tokens, and which of them carry the loss."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from tasks.lm.chat_format import TrainedTurn, training_ids

BATCH = 1_000  # conversations encoded together


@dataclass(frozen=True, slots=True)
class Examples:
    """Encoded conversations in the order of their file, and how many were left out and why."""

    tokens: list[NDArray[np.int64]] = field(default_factory=list)  # (length,) each
    trained: list[NDArray[np.bool_]] = field(default_factory=list)  # (length,) each
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each example."""
        return np.array([len(tokens) for tokens in self.tokens], dtype=np.int64)


def encode(
    conversations: Sequence[Sequence[TrainedTurn]],
    tokenizer: PreTrainedTokenizerFast,
    max_tokens: int,
) -> Examples:
    """Encodes conversations; drops `too_long` ones whole, and ones with `no_target`.

    A cut conversation would teach to stop in the middle of an answer, so none is cut.
    """
    examples = Examples()
    for ids, mask in _in_batches(tokenizer, conversations):
        reason = "too_long" if len(ids) > max_tokens else "" if any(mask[1:]) else "no_target"
        if reason:
            examples.dropped[reason] = examples.dropped.get(reason, 0) + 1
            continue
        examples.tokens.append(np.array(ids, dtype=np.int64))
        examples.trained.append(np.array(mask, dtype=np.bool_))
    return examples


def _in_batches(
    tokenizer: PreTrainedTokenizerFast, conversations: Sequence[Sequence[TrainedTurn]]
) -> Iterator[tuple[list[int], list[bool]]]:
    for start in range(0, len(conversations), BATCH):
        yield from training_ids(tokenizer, conversations[start : start + BATCH])


def pad(
    rows: Sequence[NDArray[np.int64]], masks: Sequence[NDArray[np.bool_]], padding: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows of unequal length as one rectangle: tokens (B, T) and trained (B, T).

    Padding is on the right, where no real token attends to it, and carries no loss.
    """
    width = max(len(row) for row in rows)
    tokens = np.full((len(rows), width), padding, dtype=np.int64)
    trained = np.zeros((len(rows), width), dtype=np.bool_)
    for number, (row, mask) in enumerate(zip(rows, masks, strict=True)):
        tokens[number, : len(row)] = row
        trained[number, : len(mask)] = mask
    return tokens, trained
