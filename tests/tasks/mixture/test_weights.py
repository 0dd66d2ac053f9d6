from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline_config.mixture import MixtureConfig
from tasks.mixture.weights import SourceShare, mix, repeated_too_often, temperature_weights

TOKENS = {"large": 900, "small": 100}


def test_natural_weights_are_the_sources_sizes() -> None:
    shares = mix(TOKENS, MixtureConfig(method="natural", temperature=5), num_tokens=1000)
    assert shares == {"large": SourceShare(0.9, 900, 1.0), "small": SourceShare(0.1, 100, 1.0)}


@pytest.mark.parametrize(
    ("temperature", "expected"),
    [
        (1, {"a": 1 / 73, "b": 8 / 73, "c": 64 / 73}),  # 1 + 8 + 64
        (2, {"a": 1 / 11.8284271, "b": 2.8284271 / 11.8284271, "c": 8 / 11.8284271}),  # roots
        (3, {"a": 1 / 7, "b": 2 / 7, "c": 4 / 7}),  # cube roots 1, 2, 4
        (1000, {"a": 0.3326405, "b": 0.3333329, "c": 0.3340267}),  # 1/3 (1 + ln(n / 8) / 1000)
    ],
)
def test_temperature_weights_by_hand(temperature: float, expected: dict[str, float]) -> None:
    weights = temperature_weights({"a": 1, "b": 8, "c": 64}, temperature)
    assert weights == pytest.approx(expected, abs=1e-7)


def test_epochs_by_hand() -> None:
    # sqrt(900) : sqrt(100) = 30 : 10; of 1,000 tokens 750 come from 900 and 250 from 100.
    shares = mix(TOKENS, MixtureConfig(method="temperature", temperature=2), num_tokens=1000)
    assert shares["large"] == SourceShare(0.75, 900, pytest.approx(0.833333333333))
    assert shares["small"] == SourceShare(0.25, 100, 2.5)


def test_fixed_weights_are_divided_by_their_sum() -> None:
    config = MixtureConfig(method="fixed", weights={"small": 3, "large": 1})
    shares = mix(TOKENS, config, num_tokens=200)
    assert shares == {
        "large": SourceShare(0.25, 900, pytest.approx(50 / 900)),
        "small": SourceShare(0.75, 100, 1.5),
    }


def test_weight_of_zero_leaves_a_source_out() -> None:
    config = MixtureConfig(method="fixed", weights={"small": 0, "large": 2})
    assert mix(TOKENS, config, 900)["small"] == SourceShare(0.0, 100, 0.0)


def test_source_without_a_weight_is_named() -> None:
    config = MixtureConfig(method="fixed", weights={"large": 1})
    with pytest.raises(ValueError, match="no weight for small; add it to mixture"):
        mix(TOKENS, config, 1000)


def test_weight_without_a_source_is_named() -> None:
    config = MixtureConfig(method="fixed", weights={"large": 1, "small": 1, "tiny": 1})
    with pytest.raises(
        ValueError, match="names tiny, but the sources of this run are large, small"
    ):
        mix(TOKENS, config, 1000)


def test_source_without_tokens_is_named() -> None:
    with pytest.raises(ValueError, match="source small has 0 training tokens"):
        mix({"large": 900, "small": 0}, MixtureConfig(), 1000)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"method": "fixed"}, "needs a weight for every source"),
        ({"method": "fixed", "weights": {"a": 0}}, "needs a weight for every source"),
        ({"weights": {"a": 1, "b": -0.5}}, "the weight of b is -0.5"),
        ({"weights": {"a": float("inf")}}, "finite"),
        ({"temperature": 0.5}, "greater than or equal to 1"),
        ({"method": "uniform"}, "natural"),
    ],
)
def test_bad_settings_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        MixtureConfig(**fields)


def test_too_many_epochs_are_told_with_the_weight_that_would_do() -> None:
    shares = mix(TOKENS, MixtureConfig(method="temperature", temperature=2), num_tokens=4000)
    (warning,) = repeated_too_often(shares, max_epochs=4)
    assert warning == (
        "small: 10.0 epochs, more than mixture.max_epochs (4); lower its weight from 0.250 to "
        "0.100, or train on fewer tokens"
    )
    assert repeated_too_often(shares, max_epochs=10) == []


@given(
    tokens=st.dictionaries(st.text(min_size=1), st.integers(1, 10**12), min_size=1, max_size=8),
    temperature=st.floats(1, 1000),
    budget=st.integers(1, 10**12),
)
def test_shares_sum_to_the_budget_and_keep_the_order_of_sizes(
    tokens: dict[str, int], temperature: float, budget: int
) -> None:
    config = MixtureConfig(method="temperature", temperature=temperature)
    shares = mix(tokens, config, budget)
    assert sum(share.weight for share in shares.values()) == pytest.approx(1)
    spent = sum(share.epochs * share.train_tokens for share in shares.values())
    assert spent == pytest.approx(budget, rel=1e-9)
    by_size = sorted(tokens, key=tokens.__getitem__)
    assert [shares[s].weight for s in by_size] == sorted(s.weight for s in shares.values())
