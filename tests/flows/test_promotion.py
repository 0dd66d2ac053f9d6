from typing import Any

import pytest

from flows.promotion import chat_failures, corpus_failures
from pipeline_config.promotion import PromotionConfig

GATES = PromotionConfig()


def bits(model: float = 1.7) -> dict[str, Any]:
    return {"sources": {"docs": {"model": model, "bigram": 1.9}}}


def scores(z: float = 5.0, control: float = 0.5, accuracy: float = 0.6) -> dict[str, Any]:
    return {
        "overall": {"accuracy": accuracy, "z": z},
        "control": {"overall": {"accuracy": 0.3, "z": control}},
    }


def test_a_good_model_passes() -> None:
    assert chat_failures(bits(), scores(), None, GATES) == []
    assert chat_failures(bits(), scores(), 0.64, GATES) == []


@pytest.mark.parametrize(
    ("found", "current", "why"),
    [
        ((bits(1.9), scores()), None, "on docs, a bigram model has 1.900"),
        ((bits(), scores(z=2.9)), None, "2.9 standard errors over the baseline"),
        ((bits(), scores(control=3.1)), None, "swapped passages"),
        ((bits(), scores(accuracy=0.6)), 0.66, "the current model has 0.660"),
    ],
)
def test_each_gate_says_why_it_does_not_pass(
    found: tuple[dict[str, Any], dict[str, Any]], current: float | None, why: str
) -> None:
    (reason,) = chat_failures(*found, current, GATES)
    assert why in reason


def test_a_corpus_that_suddenly_keeps_less_is_not_promoted() -> None:
    assert corpus_failures(0.60, 0.45, GATES) == []
    (reason,) = corpus_failures(0.60, 0.35, GATES)
    assert "keeps 35%" in reason
