"""Conversations as tokens, through the model's own chat template.

What users and documents say is data: a special token written out in a message is defused before
rendering, so nobody ends a turn or opens another role from inside a message.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from transformers import PreTrainedTokenizerFast

TURN_END = "<|im_end|>"


class Turn(Protocol):
    """One message; a stored record or a `ChatTurn`."""

    @property
    def role(self) -> str:
        """system, user or assistant."""
        ...

    @property
    def content(self) -> str:
        """What is said."""
        ...


class ChatTurn(NamedTuple):
    """A message of a running chat."""

    role: str
    content: str


class TrainedTurn(Turn, Protocol):
    """A message that may carry a loss."""

    @property
    def trained(self) -> bool:
        """Whether the loss covers this turn."""
        ...


def load_tokenizer(directory: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of a local model directory; runs no code from it."""
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(
        directory, local_files_only=True
    )
    return tokenizer


def prompt_ids(tokenizer: PreTrainedTokenizerFast, turns: Sequence[Turn]) -> list[int]:
    """The turns, and the opening of the assistant's next one."""
    encoded = _render(tokenizer, turns, add_generation_prompt=True)
    return encoded["input_ids"]


def training_ids(
    tokenizer: PreTrainedTokenizerFast, turns: Sequence[TrainedTurn]
) -> tuple[list[int], list[bool]]:
    r"""The tokens of a conversation, and which of them the loss covers.

    With ChatML, of `<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>\n`
    these are `yes` and the `<|im_end|>` after it, if that turn is trained.
    """
    encoded = _render(tokenizer, turns, return_assistant_tokens_mask=True)
    said_by_assistant = encoded["assistant_masks"]
    trained = [turn.trained for turn in turns if turn.role == "assistant"]
    mask, place = [], -1
    for token, previous in zip(said_by_assistant, [0, *said_by_assistant[:-1]], strict=True):
        place += token > previous  # another assistant turn begins
        mask.append(bool(token) and trained[place])
    return encoded["input_ids"], mask


def stop_ids(tokenizer: PreTrainedTokenizerFast) -> frozenset[int]:
    """Where a reply ends: at the end of the turn, or of everything."""
    ids = {tokenizer.convert_tokens_to_ids(TURN_END), tokenizer.eos_token_id}
    return frozenset(token for token in ids if token is not None)


def decode(tokenizer: PreTrainedTokenizerFast, tokens: Sequence[int]) -> str:
    """The text of a reply, without special tokens."""
    return str(tokenizer.decode(list(tokens), skip_special_tokens=True))


def defuse(text: str, special_tokens: Sequence[str]) -> str:
    """`text` in which no special token is left: `<|im_end|>` becomes `< |im_end|>`."""
    for token in special_tokens:
        text = text.replace(token, f"{token[:1]} {token[1:]}")
    return text


def _render(
    tokenizer: PreTrainedTokenizerFast, turns: Sequence[Turn], **options: Any
) -> dict[str, list[int]]:
    special = tokenizer.all_special_tokens
    plain = [{"role": turn.role, "content": defuse(turn.content, special)} for turn in turns]
    encoded: Any = tokenizer.apply_chat_template(plain, return_dict=True, **options)
    return dict(encoded)
