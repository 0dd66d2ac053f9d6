"""Mixture weights: the share of the training tokens that each source gives.

natural       p_i = n_i / sum n          every token is seen equally often
temperature   p_i ~ n_i ** (1 / T)       small sources are seen more often (mBERT, XLM, mT5)
fixed         p_i as configured

A weight p of a budget of B tokens over a source of n tokens means p * B / n epochs. Sources of
900 and 100 tokens weigh 0.9 and 0.1 naturally; at T = 2 they are 30 to 10, so 0.75 and 0.25, and a
budget of 1,000 tokens passes 0.83 times over the large and 2.5 times over the small one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline_config.mixture import MixtureConfig

DIGITS = 12  # of a weight; the last bits of a power differ between machines


@dataclass(frozen=True, slots=True)
class SourceShare:
    """What one source gives to the training."""

    weight: float  # share of the training tokens
    train_tokens: int  # tokens it has
    epochs: float  # passes over them that the weight implies


def normalise(weights: Mapping[str, float]) -> dict[str, float]:
    """The same weights with a sum of 1, by source name."""
    total = math.fsum(weights.values())  # the same in any order of sources
    return {source: round(weight / total, DIGITS) for source, weight in sorted(weights.items())}


def temperature_weights(train_tokens: Mapping[str, int], temperature: float) -> dict[str, float]:
    """Weights proportional to tokens ** (1 / temperature)."""
    return normalise(
        {source: tokens ** (1 / temperature) for source, tokens in train_tokens.items()}
    )


def fixed_weights(train_tokens: Mapping[str, int], wanted: Mapping[str, float]) -> dict[str, float]:
    """The configured weights, for exactly the sources that there are.

    Raises:
        ValueError: when a source has no weight, or a weight no source.
    """
    if missing := sorted(train_tokens.keys() - wanted.keys()):
        raise ValueError(
            f"no weight for {', '.join(missing)}; add it to mixture.weights (0 leaves a source out)"
        )
    if unknown := sorted(wanted.keys() - train_tokens.keys()):
        raise ValueError(
            f"mixture.weights names {', '.join(unknown)}, but the sources of this run are "
            f"{', '.join(sorted(train_tokens))}"
        )
    return normalise({source: wanted[source] for source in train_tokens})


def mix(
    train_tokens: Mapping[str, int], config: MixtureConfig, num_tokens: int
) -> dict[str, SourceShare]:
    """The share of every source in a training of `num_tokens` tokens, sources by name.

    Raises:
        ValueError: for a source without tokens, or weights that do not fit the sources.
    """
    for source, tokens in sorted(train_tokens.items()):
        if tokens <= 0:
            raise ValueError(f"source {source} has {tokens} training tokens; leave the source out")
    if config.method == "fixed":
        weights = fixed_weights(train_tokens, config.weights)
    else:
        temperature = config.temperature if config.method == "temperature" else 1.0
        weights = temperature_weights(train_tokens, temperature)
    return {
        source: SourceShare(
            weight=weight,
            train_tokens=train_tokens[source],
            epochs=weight * num_tokens / train_tokens[source],
        )
        for source, weight in weights.items()
    }


def repeated_too_often(shares: Mapping[str, SourceShare], max_epochs: float) -> list[str]:
    """One sentence per source that is passed over more than `max_epochs` times."""
    return [
        f"{source}: {share.epochs:.1f} epochs, more than mixture.max_epochs ({max_epochs:g}); "
        f"lower its weight from {share.weight:.3f} to "
        f"{share.weight * max_epochs / share.epochs:.3f}, or train on fewer tokens"
        for source, share in shares.items()
        if share.epochs > max_epochs
    ]
