"""A chat with a model directory: turns in, pieces of text out, as they are decoded."""

from collections.abc import Iterator
from pathlib import Path

from tasks.lm.chat_format import ChatTurn, load_tokenizer, prompt_ids, stop_ids
from tasks.lm.model import load_model
from tasks.lm.sampling import Decoding, stream

UNFINISHED = "\N{REPLACEMENT CHARACTER}"  # the end of a text whose last character lacks bytes


class Talk:
    """One conversation, which the model sees whole until its context is full."""

    def __init__(self, model: Path, *, temperature: float, max_tokens: int, seed: int) -> None:
        """Loads the model and tokenizer in the directory `model`."""
        self._tokenizer = load_tokenizer(model)
        self._model = load_model(model).eval()
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._seed = seed
        self._turns: list[ChatTurn] = []

    def forget(self) -> None:
        """Begins a new conversation."""
        self._turns.clear()

    def say(self, text: str) -> Iterator[str]:
        """The model's answer to `text`, piece by piece.

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
                answer = self._tokenizer.decode(tokens, skip_special_tokens=True)
                if not answer.endswith(UNFINISHED):
                    yield answer[len(said) :]
                    said = answer
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
