from math import log

import numpy as np
import pytest
import torch

from pipeline_config.evaluation import LmEvaluationConfig
from tasks.evaluation.evaluate_lm import describe
from tasks.evaluation.score import model_losses
from tasks.lm.model import build_model
from tasks.lm.runtime import Runtime
from tests.tasks.lm.tiny import TINY

DOCUMENTS = [np.random.default_rng(n).integers(0, 32, n).astype(np.uint16) for n in (40, 7, 1, 90)]


def total(config: LmEvaluationConfig, *, uniform: bool) -> tuple[int, float]:
    model = build_model(TINY, vocab_size=32, document_end=0, seed=0).eval()
    if uniform:
        torch.nn.init.zeros_(model.lm_head.weight)
    found = list(model_losses(model, DOCUMENTS, config, Runtime()))
    return sum(tokens for tokens, _ in found), sum(nats for _, nats in found)


def test_uniform_model_needs_five_bits_per_token_of_32() -> None:
    tokens, nats = total(LmEvaluationConfig(window_tokens=16), uniform=True)
    assert tokens == 39 + 6 + 0 + 89
    row = describe(
        {
            "model_nats": nats,
            "bigram_nats": 0.0,
            "tokens": tokens,
            "bytes": 300,
            "documents": 4,
            "left_out": 0,
        }
    )
    assert row["model"] == pytest.approx(5 * tokens / 300, abs=1e-5)


def test_losses_equal_a_document_at_a_time_without_windows() -> None:
    model = build_model(TINY, vocab_size=32, document_end=0, seed=0).eval()
    expected = 0.0
    for document in DOCUMENTS:
        tokens = torch.from_numpy(document.astype(np.int64))[None, :65]
        log_probs = model(input_ids=tokens).logits.double().log_softmax(-1)
        following = tokens[0, 1:]
        expected -= log_probs[0, torch.arange(len(following)), following].sum().item()
    # windows as long as the context: only the last document has two, its end is left out here
    config = LmEvaluationConfig(window_tokens=64, context_share=0.0, batch_tokens=128)
    cut = [document[:65] for document in DOCUMENTS]
    found = list(model_losses(model, cut, config, Runtime()))
    assert sum(nats for _, nats in found) == pytest.approx(expected, rel=1e-5)


def test_window_longer_than_the_models_context_is_cut_to_it() -> None:
    long = total(LmEvaluationConfig(window_tokens=1000), uniform=False)
    assert long == total(LmEvaluationConfig(window_tokens=TINY.context), uniform=False)
    assert long[1] / long[0] == pytest.approx(log(32), rel=0.05)  # untrained: about uniform
