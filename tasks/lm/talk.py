"""A chat with a model directory: turns in, pieces of text out, as they are decoded.

A model may say anything that its crawl said, so what could command a terminal (escape sequences,
carriage returns, marks that reverse the direction of writing) is taken out of every piece.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

from tasks.lm.chat_format import ChatTurn, decode, load_tokenizer, prompt_ids, stop_ids
from tasks.lm.model import load_model
from tasks.lm.sampling import Decoding, stream

_UNFINISHED = "\N{REPLACEMENT CHARACTER}"  # the end of a text whose last character lacks bytes
_JOINERS = "\u200c\u200d"  # zero-width, but part of words and emoji


class Talk:
    """One conversation, which the model sees whole until its context is full."""

    def __init__(self, model: Path, *, temperature: float, max_tokens: int, seed: int) -> None:
        """Loads the model and tokenizer in the directory `model`."""
        self._tokenizer = load_tokenizer(model)
        self._model = load_model(model)
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._seed = seed
        self._turns: list[ChatTurn] = []

    def forget(self) -> None:
        """Begins a new conversation."""
        self._turns.clear()

    def say(self, text: str) -> Iterator[str]:
        """The model's answer to `text`, piece by piece, safe to print.

        An answer that the caller stops reading is remembered as far as it went.
        """
        self._turns.append(ChatTurn("user", text))
        decoding = Decoding(
            max_new_tokens=self._max_tokens,
            stop_ids=stop_ids(self._tokenizer),
            temperature=self._temperature,
            seed=self._seed + len(self._turns),
        )
        tokens: list[int] = []
        said = ""
        try:
            for token in stream(self._model, self._prompt(), decoding):
                tokens.append(token)
                answer = decode(self._tokenizer, tokens)
                if not answer.endswith(_UNFINISHED):
                    piece, said = answer[len(said) :], answer
                    yield printable(piece)
        finally:
            self._turns.append(ChatTurn("assistant", said))

    def _prompt(self) -> list[int]:
        """The newest turns that leave room for an answer, beginning with one of the user."""
        room = max(1, self._model.config.max_position_embeddings - self._max_tokens)
        first = 0
        while True:
            ids = prompt_ids(self._tokenizer, self._turns[first:])
            if len(ids) <= room or first + 1 >= len(self._turns):
                return ids[-room:]
            first += 2


def printable(text: str) -> str:
    r"""`text` without control and formatting characters, but for line ends and tabs.

    >>> printable("a\x1b[31mb\r\n\u202ec")
    'a[31mb\nc'
    """
    return "".join(
        character
        for character in text
        if character in "\n\t" + _JOINERS or unicodedata.category(character) not in ("Cc", "Cf")
    )
