import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tasks.quality.roc import precision_recall, roc_auc, score_of_share

EXAMPLES = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9]), st.booleans()), min_size=1)


def arrays(examples: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    scores, positive = zip(*examples, strict=True)
    return np.array(scores), np.array(positive)


def test_the_worked_examples() -> None:
    # Pairs of a positive and a negative: 0.9 beats both, 0.5 ties with one and beats the other.
    scores = np.array([0.9, 0.5, 0.5, 0.1])
    assert roc_auc(scores, np.array([True, True, False, False])) == 3.5 / 4
    assert math.isnan(roc_auc(scores, np.array([True] * 4)))
    assert precision_recall(np.array([0.9, 0.5, 0.1]), np.array([True, False, True]), 0.5) == (
        0.5,
        0.5,
    )
    assert precision_recall(scores, scores > 0, 0.95) == (1.0, 0.0)
    assert score_of_share(np.array([0.1, 0.4, 0.3, 0.2]), 0.5) == 0.3
    assert score_of_share(np.array([0.1, 0.4, 0.3, 0.2]), 0.01) == 0.4


@given(EXAMPLES)
def test_area_is_the_share_of_pairs_in_the_right_order(examples: list[tuple[float, bool]]) -> None:
    scores, positive = arrays(examples)
    pairs = [
        (mine > other) + 0.5 * (mine == other)
        for mine in scores[positive]
        for other in scores[~positive]
    ]
    expected = sum(pairs) / len(pairs) if pairs else float("nan")
    np.testing.assert_allclose(roc_auc(scores, positive), expected)


@given(EXAMPLES, st.floats(0.01, 1.0))
def test_a_share_keeps_at_least_its_documents_and_only_ties_beyond(
    examples: list[tuple[float, bool]], share: float
) -> None:
    scores, _ = arrays(examples)
    limit = score_of_share(scores, share)
    wanted = max(1, round(share * len(scores)))
    assert (scores > limit).sum() < wanted <= (scores >= limit).sum()
