import numpy as np
import pytest

from tasks.pretrain.rows import Domain, Rows, count_earlier, draw_domains


class Stream:
    """Tokens that say where they are from: 1000 * domain + position."""

    def __init__(self, domain: int, num_tokens: int) -> None:
        self.tokens = (1000 * domain + np.arange(num_tokens)).astype(np.uint16)
        self.num_tokens = num_tokens

    def read(self, start: int, length: int) -> np.ndarray:
        assert 0 <= start <= start + length <= self.num_tokens
        return self.tokens[start : start + length].copy()


def rows(num_steps: int = 40, seed: int = 0, weights: tuple[float, float] = (3, 1)) -> Rows:
    domains = [
        Domain("docs", weights[0], Stream(0, 100)),
        Domain("code", weights[1], Stream(1, 47)),
    ]
    return Rows(domains, row_tokens=8, batch_rows=4, num_steps=num_steps, seed=seed)


def test_rows_are_a_pure_function_of_seed_and_step() -> None:
    forwards = [rows()(step) for step in range(40)]
    again = rows()
    for step in (39, 3, 17, 3):
        assert np.array_equal(again(step), forwards[step])
    longer = rows(num_steps=80)
    assert all(np.array_equal(longer(step), forwards[step]) for step in range(40))
    assert not all(np.array_equal(rows(seed=1)(step), forwards[step]) for step in range(40))


def test_a_row_is_consecutive_tokens_of_one_domain() -> None:
    for step in range(40):
        batch = rows()(step)
        assert batch.shape == (4, 9)
        assert batch.dtype == np.int64
        assert (np.diff(batch, axis=1) == 1).all()
        assert ((batch // 1000) == (batch[:, :1] // 1000)).all()


def test_an_epoch_visits_every_row_once_without_overlap() -> None:
    starts = [row[0] for step in range(40) for row in rows()(step) if row[0] < 1000]
    per_epoch = (100 - 8) // 8  # 11 rows, whatever the shift
    for first in range(0, len(starts) - per_epoch + 1, per_epoch):
        epoch = np.sort(starts[first : first + per_epoch])
        assert (np.diff(epoch) == 8).all()
        assert epoch[-1] + 8 < 100
    epochs = [set(starts[i : i + per_epoch]) for i in range(0, 4 * per_epoch, per_epoch)]
    assert len(set(map(frozenset, epochs))) > 1  # another shift


def test_domains_are_drawn_by_weight() -> None:
    drawn = draw_domains([3, 1, 0], 40_000, seed=5)
    # binomial: standard deviation sqrt(40,000 * 0.75 * 0.25) = 87
    assert abs((drawn == 0).sum() - 30_000) < 4 * 87
    assert (drawn == 2).sum() == 0
    assert np.array_equal(draw_domains([3, 1, 0], 100, seed=5), drawn[:100])


def test_epochs_follow_the_weights() -> None:
    epochs = rows(num_steps=1000).epochs()
    assert epochs["docs"] == pytest.approx(4000 * 0.75 / 11, rel=0.05)
    assert epochs["code"] == pytest.approx(4000 * 0.25 / 4, rel=0.1)


def test_count_earlier_by_hand() -> None:
    assert count_earlier(np.array([1, 0, 1, 1]), 2).tolist() == [0, 0, 1, 2]


def test_source_too_short_for_a_row_is_named_unless_it_has_no_weight() -> None:
    def short(weight: float) -> Rows:
        domains = [Domain("docs", 1.0, Stream(0, 100)), Domain("tiny", weight, Stream(1, 15))]
        return Rows(domains, row_tokens=8, batch_rows=4, num_steps=5, seed=0)

    with pytest.raises(ValueError, match="source tiny has 15 training tokens"):
        short(0.1)
    assert short(0.0)(0).max() < 1000
