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
    prompts: list[list[int]] = _render(tokenizer, [turns], add_generation_prompt=True)["input_ids"]
    return prompts[0]


def training_ids(
    tokenizer: PreTrainedTokenizerFast, conversations: Sequence[Sequence[TrainedTurn]]
) -> list[tuple[list[int], list[bool]]]:
    r"""The tokens of each conversation, and which of them the loss covers.

    With ChatML, of `<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>\n`
    these are `yes` and the `<|im_end|>` after it, if that turn is trained. Many conversations at
    once take less than half the time each.

    Raises:
        ValueError: when the chat template does not mark the answers.
    """
    encoded = _render(tokenizer, conversations, return_assistant_tokens_mask=True)
    return [
        (ids, _trained_only(said_by_assistant, turns))
        for ids, said_by_assistant, turns in zip(
            encoded["input_ids"], encoded["assistant_masks"], conversations, strict=True
        )
    ]


def _trained_only(said_by_assistant: list[int], turns: Sequence[TrainedTurn]) -> list[bool]:
    """The template's mask without the answers that carry no loss."""
    trained = [turn.trained for turn in turns if turn.role == "assistant"]
    begins = [
        token > before
        for token, before in zip(said_by_assistant, [0, *said_by_assistant[:-1]], strict=True)
    ]
    if sum(begins) != len(trained):
        raise ValueError(
            f"the chat template marks {sum(begins)} of {len(trained)} answers; it needs "
            "{% generation %} and {% endgeneration %} around each answer and the token that ends it"
        )
    mask, answer = [], -1
    for token, begin in zip(said_by_assistant, begins, strict=True):
        answer += begin
        mask.append(bool(token) and trained[answer])
    return mask


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
    tokenizer: PreTrainedTokenizerFast, conversations: Sequence[Sequence[Turn]], **options: Any
) -> dict[str, Any]:
    special = tokenizer.all_special_tokens
    plain = [
        [{"role": turn.role, "content": defuse(turn.content, special)} for turn in turns]
        for turns in conversations
    ]
    encoded: Any = tokenizer.apply_chat_template(plain, return_dict=True, **options)
    return dict(encoded)
