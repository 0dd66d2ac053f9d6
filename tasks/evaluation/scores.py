"""Accuracy with its standard error, beside the best baseline on the same prompts."""

from collections.abc import Mapping
from math import sqrt
from typing import TypedDict


class Score(TypedDict):
    """Accuracy on one family, or on all prompts; written to `accuracy.json`."""

    number: int  # prompts
    correct: int
    accuracy: float
    standard_error: float
    baseline: float  # accuracy of the best baseline on these prompts
    baseline_name: str
    z: float  # (accuracy - baseline) / standard_error


def standard_error(correct: int, number: int) -> float:
    """The binomial standard error of an accuracy, sqrt(p (1 - p) / n).

    With p = (correct + 1) / (number + 2) (Laplace), so that 20 right of 20 is not certainty:
    p = 21 / 22 gives an error of 0.047, not 0.
    """
    p = (correct + 1) / (number + 2)
    return sqrt(p * (1 - p) / number)


def score(correct: int, number: int, baselines: Mapping[str, int]) -> Score:
    """The score of `correct` right answers; `baselines` are those of each baseline."""
    name = max(sorted(baselines), key=lambda baseline: baselines[baseline])
    accuracy, error = correct / number, standard_error(correct, number)
    baseline = baselines[name] / number
    return Score(
        number=number,
        correct=correct,
        accuracy=round(accuracy, 6),
        standard_error=round(error, 6),
        baseline=round(baseline, 6),
        baseline_name=name,
        z=round((accuracy - baseline) / error, 3),
    )


def score_families(
    correct: Mapping[str, tuple[int, int]], baselines: Mapping[str, Mapping[str, int]]
) -> dict[str, object]:
    """Scores per family and overall; `correct` holds (right, asked) of each family.

    Overall, every family counts with its own best baseline.
    """
    families = {
        family: score(right, asked, baselines[family])
        for family, (right, asked) in sorted(correct.items())
    }
    best = sum(max(baselines[family].values()) for family in families)
    overall = score(
        sum(right for right, _ in correct.values()),
        sum(asked for _, asked in correct.values()),
        {"best of each family": best},
    )
    return {"families": families, "overall": overall}
