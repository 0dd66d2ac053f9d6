"""How well scores tell two classes apart: area under the ROC curve, precision and recall."""

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]


def roc_auc(scores: Scores, positive: Labels) -> float:
    """Return how often a positive has a higher score than a negative; ties count half.

    The statistic of Mann and Whitney (1947), by mean ranks. NaN when a class is empty.

    >>> roc_auc(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False]))
    0.875
    """
    num_positive = int(positive.sum())
    num_pairs = num_positive * (len(positive) - num_positive)
    if not num_pairs:
        return float("nan")
    _, place, number = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(number) - (number - 1) / 2)[place]  # 1 for the lowest
    above = ranks[positive].sum() - num_positive * (num_positive + 1) / 2
    return float(above / num_pairs)


def precision_recall(scores: Scores, positive: Labels, min_score: float) -> tuple[float, float]:
    """Return the positives' share of what passes, and the share of positives that passes.

    The precision is 1 when nothing passes.

    >>> precision_recall(np.array([0.9, 0.5, 0.1]), np.array([True, False, True]), 0.5)
    (0.5, 0.5)
    """
    passing = scores >= min_score
    hits = int((passing & positive).sum())
    precision = hits / passing.sum() if passing.any() else 1.0
    return float(precision), hits / max(int(positive.sum()), 1)


def score_of_share(scores: Scores, share: float) -> float:
    """Return the score from which on the best `share` of all is kept, at least one and all ties.

    >>> score_of_share(np.array([0.1, 0.4, 0.3, 0.2]), 0.5)
    0.3
    """
    number = max(1, round(share * len(scores)))
    return float(np.sort(scores)[len(scores) - number])
