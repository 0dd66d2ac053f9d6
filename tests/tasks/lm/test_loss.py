import math

import pytest
import torch
from torch import Tensor

from tasks.lm.loss import IGNORED, Batch, answer_loss, language_model_loss, token_losses
from tasks.lm.model import build_model
from tests.tasks.lm.tiny import TINY


def example(vocab_size: int = 50) -> tuple[torch.nn.Module, Batch]:
    model = build_model(TINY, vocab_size=vocab_size, document_end=0, seed=1)
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, vocab_size, (3, 9), generator=generator)
    targets = tokens[:, 1:].clone()
    targets[0, :5] = IGNORED
    targets[2] = IGNORED
    return model, Batch(tokens[:, :-1], targets)


def by_hand(model: torch.nn.Module, batch: Batch) -> list[float]:
    """-log softmax(logits)[target], one position at a time, in row order."""
    logits: Tensor = model(input_ids=batch.inputs).logits.double()
    losses = []
    for row, column in (batch.targets != IGNORED).nonzero().tolist():
        scores = logits[row, column]
        losses.append((scores.logsumexp(0) - scores[batch.targets[row, column]]).item())
    return losses


@pytest.mark.parametrize("loss", [language_model_loss, answer_loss])
def test_loss_is_the_sum_over_targets_by_hand(loss) -> None:
    model, batch = example()
    assert batch.num_targets == 3 + 8
    assert loss(model, batch).item() == pytest.approx(sum(by_hand(model, batch)), rel=1e-5)


def test_token_losses_lie_where_the_targets_are() -> None:
    model, batch = example()
    losses = token_losses(model, batch)
    assert losses.shape == batch.targets.shape
    assert losses[batch.targets == IGNORED].abs().max() == 0
    found = losses[batch.targets != IGNORED].tolist()
    assert found == pytest.approx(by_hand(model, batch), rel=1e-5)


def test_equal_logits_cost_the_logarithm_of_the_vocabulary() -> None:
    model, batch = example(vocab_size=50)
    torch.nn.init.zeros_(model.lm_head.weight)
    total = language_model_loss(model, batch).item()
    assert total == pytest.approx(11 * math.log(50), rel=1e-6)
