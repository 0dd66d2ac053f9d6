"""Which tokens each training row holds, as a pure function of the seed and the step.

The domain of a row is drawn by its mixture weight from a counter-based generator (Philox), so row
`step * batch_rows + i` is the same however the run got there. Within a domain the rows of one epoch
are cut at multiples of their length from a random shift, and visited in a random order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class TokenStream(Protocol):
    """A domain's training tokens, end to end."""

    @property
    def num_tokens(self) -> int:
        """Its length."""
        ...

    def read(self, start: int, length: int) -> NDArray[np.unsignedinteger[Any]]:
        """`length` tokens from position `start`."""
        ...


@dataclass(frozen=True, slots=True)
class Domain:
    """One source of the mixture."""

    name: str
    weight: float  # its share of the rows; weights need not sum to 1
    tokens: TokenStream


class Rows:
    """The rows of a whole run.

    A domain of 10 tokens and 3 `row_tokens` gives (10 - 3) // 3 = 2 rows of 4 tokens an epoch: with
    shift 1 they start at 1 and 4. One row's last token is the first of the next.
    """

    def __init__(
        self, domains: Sequence[Domain], row_tokens: int, batch_rows: int, num_steps: int, seed: int
    ) -> None:
        """Draws the domains of all rows at once; tokens are read step by step.

        Raises:
            ValueError: when a domain with a weight has too few tokens for one row.
        """
        self._domains = [domain for domain in domains if domain.weight > 0]
        for domain in self._domains:
            if _rows_per_epoch(domain, row_tokens) < 1:
                raise ValueError(
                    f"source {domain.name} has {domain.tokens.num_tokens:,} training tokens, and a "
                    f"row needs {2 * row_tokens:,}; give it no weight or lower pretrain.row_tokens"
                )
        self._row_tokens = row_tokens
        self._batch_rows = batch_rows
        self._seed = seed
        weights = [domain.weight for domain in self._domains]
        self._drawn = draw_domains(weights, num_steps * batch_rows, seed)  # (rows,)
        self._turns = count_earlier(self._drawn, len(weights))  # (rows,)
        self._order = lru_cache(maxsize=2 * len(weights))(self._shuffle)

    def __call__(self, step: int) -> NDArray[np.int64]:
        """The rows of one optimizer step: (batch_rows, row_tokens + 1)."""
        first = step * self._batch_rows
        return np.stack([self._row(row) for row in range(first, first + self._batch_rows)])

    def epochs(self) -> dict[str, float]:
        """How often the whole run passes over each domain."""
        drawn = np.bincount(self._drawn, minlength=len(self._domains))
        return {
            domain.name: float(rows) / _rows_per_epoch(domain, self._row_tokens)
            for domain, rows in zip(self._domains, drawn, strict=True)
        }

    def _row(self, row: int) -> NDArray[np.int64]:
        number = int(self._drawn[row])
        domain = self._domains[number]
        epoch, turn = divmod(int(self._turns[row]), _rows_per_epoch(domain, self._row_tokens))
        shift, order = self._order(number, epoch)
        start = shift + int(order[turn]) * self._row_tokens
        return domain.tokens.read(start, self._row_tokens + 1).astype(np.int64)

    def _shuffle(self, number: int, epoch: int) -> tuple[int, NDArray[np.int64]]:
        """The shift and the order of the rows of one domain's epoch."""
        generator = np.random.default_rng([self._seed, number, epoch])
        shift = int(generator.integers(self._row_tokens))
        rows = _rows_per_epoch(self._domains[number], self._row_tokens)
        return shift, generator.permutation(rows)


def draw_domains(weights: Sequence[float], num_rows: int, seed: int) -> NDArray[np.int64]:
    """The number of each row's domain; a longer run begins with the same draws."""
    draws = np.random.Generator(np.random.Philox(key=seed)).random(num_rows)
    bounds = np.cumsum(weights)[:-1] / np.sum(weights)
    return np.searchsorted(bounds, draws, side="right")


def count_earlier(values: NDArray[np.int64], num_values: int) -> NDArray[np.int64]:
    """For each place, how many equal values come before it: [1, 0, 1, 1] gives [0, 0, 1, 2]."""
    earlier = np.empty(len(values), np.int64)
    for value in range(num_values):
        places = np.flatnonzero(values == value)
        earlier[places] = np.arange(len(places))
    return earlier


def _rows_per_epoch(domain: Domain, row_tokens: int) -> int:
    """Rows that fit whatever the shift (0 to row_tokens - 1)."""
    return (domain.tokens.num_tokens - row_tokens) // row_tokens
