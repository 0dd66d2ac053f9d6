from math import sqrt

import pytest

from tasks.evaluation.scores import score, score_families, standard_error


def test_standard_error_is_binomial_on_the_smoothed_share() -> None:
    assert standard_error(49, 98) == pytest.approx(0.5 / sqrt(98))
    assert standard_error(20, 20) == pytest.approx(sqrt(21 / 22 / 22 / 20))
    assert standard_error(20, 20) == pytest.approx(0.0466, abs=1e-4)


def test_score_compares_with_the_best_baseline() -> None:
    found = score(80, 100, {"majority": 40, "naive_bayes": 70, "logistic_regression": 65})
    error = sqrt((81 / 102) * (21 / 102) / 100)
    assert found == {
        "number": 100,
        "correct": 80,
        "accuracy": 0.8,
        "standard_error": pytest.approx(error, abs=1e-6),
        "baseline": 0.7,
        "baseline_name": "naive_bayes",
        "z": pytest.approx(0.1 / error, abs=1e-3),
    }


def test_overall_pools_questions_and_each_familys_best_baseline() -> None:
    found = score_families(
        {"b": (9, 10), "a": (10, 30)},
        {"a": {"majority": 12, "naive_bayes": 9}, "b": {"majority": 2, "naive_bayes": 5}},
    )
    assert list(found["families"]) == ["a", "b"]
    assert found["overall"]["correct"] == 19
    assert found["overall"]["accuracy"] == pytest.approx(19 / 40)
    assert found["overall"]["baseline"] == pytest.approx((12 + 5) / 40)
    assert found["families"]["a"]["z"] < 0 < found["families"]["b"]["z"]
