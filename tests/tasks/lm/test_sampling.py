import pytest
import torch
from transformers.models.llama import LlamaForCausalLM

from tasks.lm.model import build_model
from tasks.lm.sampling import Decoding, choose, generate, stream
from tests.tasks.lm.tiny import TINY

PROMPTS = [[5, 6, 7], [8], [9, 10, 11, 12, 13, 14], [5, 6, 7]]


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    model = build_model(TINY, vocab_size=50, document_end=0, seed=0).eval()
    for weight in model.parameters():  # larger weights: replies that depend on the prompt
        weight.data *= 4
    return model


def greedy_without_cache(model: LlamaForCausalLM, prompt: list[int], length: int) -> list[int]:
    tokens = list(prompt)
    for _ in range(length):
        tokens.append(int(model(input_ids=torch.tensor([tokens])).logits[0, -1].argmax()))
    return tokens[len(prompt) :]


def test_batched_greedy_replies_equal_single_ones_without_cache(model: LlamaForCausalLM) -> None:
    replies = generate(model, PROMPTS, Decoding(8, frozenset()), batch_rows=3)
    assert replies == [greedy_without_cache(model, prompt, 8) for prompt in PROMPTS]
    assert len({tuple(reply) for reply in replies}) == 3  # only equal prompts give equal replies


def test_reply_ends_before_a_stop_token(model: LlamaForCausalLM) -> None:
    (free,) = generate(model, [PROMPTS[2]], Decoding(8, frozenset()))
    stop = free[3]
    expected = [
        reply[: reply.index(stop)] if stop in reply else reply
        for reply in generate(model, PROMPTS, Decoding(8, frozenset()))
    ]
    assert generate(model, PROMPTS, Decoding(8, frozenset({stop}))) == expected
    assert list(stream(model, PROMPTS[2], Decoding(8, frozenset({stop})))) == expected[2]


def test_seeded_replies_do_not_depend_on_the_batch(model: LlamaForCausalLM) -> None:
    decoding = Decoding(8, frozenset(), temperature=1.0, top_p=0.9, seed=4)
    together = generate(model, PROMPTS, decoding, batch_rows=4)
    assert generate(model, PROMPTS, decoding, batch_rows=1) == together
    assert together[0] != together[3]  # same prompt, other place
    assert generate(model, PROMPTS, Decoding(8, frozenset(), 1.0, 0.9, seed=5)) != together


def test_choose_takes_the_nucleus_by_hand() -> None:
    logits = torch.tensor([0.2, 0.5, 0.3]).log().expand(4, 3)
    draws = torch.tensor([0.0, 0.624, 0.626, 0.999])
    decoding = Decoding(1, frozenset(), temperature=1.0, top_p=0.7)
    assert choose(logits, draws, decoding).tolist() == [1, 1, 2, 2]


def test_choose_draws_with_the_models_probabilities() -> None:
    probabilities = torch.tensor([0.1, 0.6, 0.3])
    draws = (torch.arange(1000) + 0.5) / 1000
    chosen = choose(probabilities.log().expand(1000, 3), draws, Decoding(1, frozenset(), 1.0))
    assert torch.bincount(chosen).tolist() == [100, 600, 300]


def test_low_temperature_approaches_greedy() -> None:
    logits = torch.tensor([[1.0, 2.0, 1.5]]).expand(100, 3)
    chosen = choose(logits, torch.linspace(0, 0.999, 100), Decoding(1, frozenset(), 0.01))
    assert chosen.unique().tolist() == [1]
