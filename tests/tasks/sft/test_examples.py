from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tasks.lm.chat_format import load_tokenizer
from tasks.lm.loss import IGNORED
from tasks.lm.train import to_batch
from tasks.sft.examples import encode, pad
from tests.tasks.lm.tiny import write_tokenizer


class Turn(NamedTuple):
    role: str
    content: str
    trained: bool = True


def dialogue(question: str, answer: str, trained: bool = True) -> list[Turn]:
    return [Turn("user", question, False), Turn("assistant", answer, trained)]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory):
    directory: Path = write_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return load_tokenizer(directory)


def test_long_and_targetless_conversations_are_counted_and_left_out(tokenizer) -> None:
    found = encode(
        [
            dialogue("the cat", "yes"),
            dialogue("the cat " * 40, "yes"),
            dialogue("the dog", "no", trained=False),
            dialogue("the dog", "no"),
        ],
        tokenizer,
        max_tokens=40,
    )
    assert found.dropped == {"too_long": 1, "no_target": 1}
    assert [
        tokenizer.decode(tokens[mask])
        for tokens, mask in zip(found.tokens, found.trained, strict=True)
    ] == ["yes<|im_end|>", "no<|im_end|>"]
    assert found.lengths.tolist() == [len(tokens) for tokens in found.tokens]


def test_padded_batch_trains_the_answers_only(tokenizer) -> None:
    found = encode([dialogue("the cat", "yes"), dialogue("the cat sat on", "no")], tokenizer, 64)
    batch = to_batch(*pad(found.tokens, found.trained, padding=0))
    assert batch.inputs.shape == batch.targets.shape == (2, found.lengths.max() - 1)
    for row, answer in enumerate(["yes<|im_end|>", "no<|im_end|>"]):
        targets = batch.targets[row]
        assert tokenizer.decode(targets[targets != IGNORED]) == answer
        # a target is the token after its input
        places = (targets != IGNORED).nonzero()[:, 0].numpy()
        assert np.array_equal(found.tokens[row][places + 1], targets[places].numpy())
