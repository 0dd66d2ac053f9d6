from math import log

import numpy as np
import pytest

from tasks.evaluation.words import Bags, WordClassifier, majority, naive_bayes, words_of

PROMPTS = ["good film", "good, good day", "bad film"]
ANSWERS = ["yes", "yes", "no"]


def test_majority_is_the_most_frequent_then_the_first() -> None:
    assert majority(["b", "a", "b"]) == "b"
    assert majority(["b", "a"]) == "a"


def test_words_are_sets_without_case() -> None:
    assert words_of("Good, good day") == {"good", ",", "day"}


def test_naive_bayes_by_hand() -> None:
    # words: bad 0, film 1, good 2; {good, film} and {good} of class 0, {bad, film} of class 1
    bags = Bags(np.array([1, 2, 2, 0, 1]), np.array([0, 0, 1, 2, 2]), 3)
    weights, bias = naive_bayes(bags, np.array([[1.0, 0], [1, 0], [0, 1]]), 3)
    # class 0 has 3 words: bad 0, film 1, good 2; class 1 has 2: bad 1, film 1; plus one for each
    assert np.exp(weights[:, 0]) == pytest.approx([1 / 6, 2 / 6, 3 / 6])
    assert np.exp(weights[:, 1]) == pytest.approx([2 / 5, 2 / 5, 1 / 5])
    assert bias == pytest.approx([log(2 / 3), log(1 / 3)])


@pytest.mark.parametrize("kind", ["naive_bayes", "logistic_regression"])
def test_classifier_follows_the_telling_words(kind: str) -> None:
    classifier = WordClassifier(PROMPTS * 5, ANSWERS * 5, kind)
    assert classifier.guess(["a good one", "BAD film", "nothing known"]) == ["yes", "no", "yes"]


def test_logistic_regression_comes_to_the_optimum_of_plain_descent() -> None:
    rng = np.random.default_rng(0)
    prompts = [" ".join(rng.choice(list("abcdef"), 3)) for _ in range(60)]
    answers = ["x" if "a" in prompt else str(rng.choice(["x", "y", "z"])) for prompt in prompts]
    classifier = WordClassifier(prompts, answers, "logistic_regression")
    held = np.array([[word in words_of(prompt) for word in "abcdef"] for prompt in prompts], float)
    right = np.array([[answer == name for name in "xyz"] for answer in answers], float)

    def loss_and_error(weights: np.ndarray, bias: np.ndarray) -> tuple[float, np.ndarray]:
        scores = held @ weights + bias
        log_probs = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        loss = (weights**2).sum() / 2 - (right * log_probs).sum()
        return loss / 60, (np.exp(log_probs) - right) / 60

    weights, bias = np.zeros((6, 3)), np.zeros(3)
    for _ in range(3000):
        _, error = loss_and_error(weights, bias)
        weights = weights - held.T @ error - weights / 60
        bias = bias - error.sum(axis=0)
    found, _ = loss_and_error(classifier._weights, classifier._bias)
    assert found == pytest.approx(loss_and_error(weights, bias)[0], abs=2e-4)
    assert classifier._weights == pytest.approx(weights, abs=0.05)


@pytest.mark.parametrize("kind", ["naive_bayes", "logistic_regression"])
def test_words_alone_cannot_tell_order(kind: str) -> None:
    prompts = ["cat dog", "dog cat"] * 20
    guesses = WordClassifier(prompts, ["cat", "dog"] * 20, kind).guess(["cat dog", "dog cat"])
    assert len(set(guesses)) == 1
