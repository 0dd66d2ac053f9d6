"""Decoding: greedy or seeded, in batches, with a key-value cache.

Prompts of a batch are padded on the left, so that all of them continue in the same column.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers.models.llama import LlamaForCausalLM


@dataclass(frozen=True, slots=True)
class Decoding:
    """How tokens are chosen."""

    max_new_tokens: int
    stop_ids: frozenset[int]  # a reply ends before any of these
    temperature: float = 0.0  # 0: always the most likely token
    top_p: float = 1.0  # draw from the most likely tokens that together have this probability
    seed: int = 0


def generate(
    model: LlamaForCausalLM, prompts: list[list[int]], decoding: Decoding, batch_rows: int = 64
) -> list[list[int]]:
    """The reply to each prompt, without its stop token; in the order of the prompts.

    Prompts of similar length share a batch. A reply's random draws depend on the seed and on the
    prompt's place in the list, not on its batch.
    """
    replies: list[list[int]] = [[] for _ in prompts]
    by_length = sorted(range(len(prompts)), key=lambda index: (len(prompts[index]), index))
    for start in range(0, len(prompts), batch_rows):
        rows = by_length[start : start + batch_rows]
        for tokens in _columns(model, [prompts[row] for row in rows], rows, decoding):
            for row, token in zip(rows, tokens, strict=True):
                if token is not None:
                    replies[row].append(token)
    return replies


def stream(model: LlamaForCausalLM, prompt: list[int], decoding: Decoding) -> Iterator[int]:
    """The tokens of one reply, as they come."""
    for tokens in _columns(model, [prompt], [0], decoding):
        if tokens[0] is not None:
            yield tokens[0]


@torch.inference_mode()
def _columns(
    model: LlamaForCausalLM, prompts: list[list[int]], rows: list[int], decoding: Decoding
) -> Iterator[list[int | None]]:
    """Each row's next token, column by column; None for a row that has ended."""
    ids, mask = _pad_left(prompts, model.device)  # (B, T) each
    draws = _draws(rows, decoding)  # (B, max_new_tokens)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    ended = torch.zeros(len(prompts), dtype=torch.bool, device=model.device)
    stops = torch.tensor(sorted(decoding.stop_ids), device=model.device)
    cache = None
    for column in range(decoding.max_new_tokens):
        output = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache = output.past_key_values
        chosen = choose(output.logits[:, -1].float(), draws[:, column], decoding)  # (B,)
        ended |= torch.isin(chosen, stops)
        if bool(ended.all()):
            return
        pairs = zip(chosen.tolist(), ended.tolist(), strict=True)
        yield [None if end else token for token, end in pairs]
        ids = chosen[:, None]
        mask = torch.cat([mask, mask.new_ones(len(prompts), 1)], dim=1)
        positions = positions[:, -1:] + 1


def choose(logits: Tensor, draws: Tensor, decoding: Decoding) -> Tensor:
    """One token per row of logits (B, V), from uniform draws (B,) in [0, 1).

    Probabilities 0.5, 0.3, 0.2 with top_p 0.7 keep the first two (0.5 alone is less than 0.7);
    a draw below 0.5 / 0.8 = 0.625 takes the first, any other the second.
    """
    if decoding.temperature == 0.0:
        return logits.argmax(dim=1)
    probabilities = (logits / decoding.temperature).softmax(dim=1)
    descending, order = probabilities.sort(dim=1, descending=True, stable=True)
    until = descending.cumsum(dim=1)
    kept = (until - descending) < decoding.top_p  # the probability before it is not yet enough
    mass = (descending * kept).sum(dim=1)
    passed = (until <= (draws.to(mass) * mass)[:, None]) & kept
    place = torch.minimum(passed.sum(dim=1), kept.sum(dim=1) - 1)
    return order.gather(1, place[:, None])[:, 0]


def _pad_left(prompts: list[list[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    width = max(len(prompt) for prompt in prompts)
    ids = torch.zeros(len(prompts), width, dtype=torch.long)
    mask = torch.zeros(len(prompts), width, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    return ids.to(device), mask.to(device)


def _draws(rows: list[int], decoding: Decoding) -> Tensor:
    """Uniform numbers of (seed, place of the prompt, column)."""
    generators = [np.random.default_rng([decoding.seed, row]) for row in rows]
    return torch.from_numpy(np.stack([one.random(decoding.max_new_tokens) for one in generators]))
