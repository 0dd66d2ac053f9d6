"""Bag-of-words baselines: what the words of a prompt give away without reading it.

Both classify a prompt by the set of its words. Naive Bayes is the multinomial one on word presence
(Wang and Manning 2012 find presence better than counts for short texts) with add-one smoothing;
logistic regression is the stronger one where there are many examples.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

MAX_CLASSES = 64  # rarer answers are never guessed: nobody learns them from a few examples
ITERATIONS = 100
LEARNING_RATE = 0.1

_WORD = re.compile(r"\w+|[^\w\s]")


def majority(answers: Sequence[str]) -> str:
    """The most frequent answer; among equals the first in the alphabet."""
    counts = Counter(answers)
    return min(counts, key=lambda answer: (-counts[answer], answer))


@dataclass(frozen=True)
class Bags:
    """Sets of words as flat arrays: word `words[i]` is in bag `bags[i]`."""

    words: NDArray[np.int64]  # (pairs,)
    bags: NDArray[np.int64]  # (pairs,)
    number: int

    def sums(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """For each bag, the sum over its words of the rows of `table` (V, C): (bags, C)."""
        return _add_rows(table, self.words, self.bags, self.number)

    def spread(self, table: NDArray[np.float64], num_words: int) -> NDArray[np.float64]:
        """For each word, the sum over its bags of the rows of `table` (bags, C): (V, C)."""
        return _add_rows(table, self.bags, self.words, num_words)


@njit()  # 10 times as fast as np.bincount for each column
def _add_rows(
    table: NDArray[np.float64],
    sources: NDArray[np.int64],
    targets: NDArray[np.int64],
    number: int,
) -> NDArray[np.float64]:
    """`number` rows: row `targets[i]` is the sum of the rows `sources[i]` of `table`."""
    found = np.zeros((number, table.shape[1]))
    for pair in range(len(sources)):
        source, target = sources[pair], targets[pair]
        for column in range(table.shape[1]):
            found[target, column] += table[source, column]
    return found


class WordClassifier:
    """Guesses an answer from the words of a prompt, after reading examples.

    Weights come from `naive_bayes` or `logistic_regression`; a word never seen counts nothing.
    """

    def __init__(self, prompts: Sequence[str], answers: Sequence[str], kind: str) -> None:
        """Learns from examples; `kind` is naive_bayes or logistic_regression."""
        frequent = sorted(Counter(answers).items(), key=lambda item: (-item[1], item[0]))
        self._classes = sorted(answer for answer, _ in frequent[:MAX_CLASSES])
        number = {answer: index for index, answer in enumerate(self._classes)}
        used = [index for index, answer in enumerate(answers) if answer in number]
        texts = [words_of(prompts[index]) for index in used]
        self._vocabulary = {word: index for index, word in enumerate(sorted(set().union(*texts)))}
        labels = np.eye(len(number))[[number[answers[index]] for index in used]]  # (n, C)
        fit = {"naive_bayes": naive_bayes, "logistic_regression": logistic_regression}[kind]
        self._weights, self._bias = fit(self._bags(texts), labels, len(self._vocabulary))

    def guess(self, prompts: Sequence[str]) -> list[str]:
        """The most likely answer to each prompt."""
        scores = self._bags([words_of(prompt) for prompt in prompts]).sums(self._weights)
        return [self._classes[index] for index in (scores + self._bias).argmax(axis=1)]

    def _bags(self, texts: Sequence[set[str]]) -> Bags:
        known = [
            sorted(self._vocabulary[word] for word in words if word in self._vocabulary)
            for words in texts
        ]
        return Bags(
            words=np.array([word for words in known for word in words], dtype=np.int64),
            bags=np.repeat(np.arange(len(known)), [len(words) for words in known]),
            number=len(known),
        )


def words_of(text: str) -> set[str]:
    """The different words and marks of a text, without case."""
    return set(_WORD.findall(text.lower()))


Fitted = tuple[NDArray[np.float64], NDArray[np.float64]]  # weights (V, C), bias (C,)


def naive_bayes(bags: Bags, labels: NDArray[np.float64], num_words: int) -> Fitted:
    """Log-probabilities of words given classes, and of classes.

    Bags {good, film}, {good} of class 1 and {bad, film} of class 2 give p(good | 1) =
    (2 + 1) / (3 + 3): two of three words are `good`, with one added for each of three known words.
    """
    counts = bags.spread(labels, num_words) + 1.0  # (V, C)
    return np.log(counts / counts.sum(axis=0)), np.log(labels.mean(axis=0))


def logistic_regression(bags: Bags, labels: NDArray[np.float64], num_words: int) -> Fitted:
    """Multinomial logistic regression by Adam on all examples.

    The L2 penalty is that of scikit-learn's default: half the squared weights, over the number of
    examples.
    """
    number, num_classes = labels.shape
    parameters = np.zeros((num_words + 1, num_classes))  # the last row is the bias
    mean, square = np.zeros_like(parameters), np.zeros_like(parameters)
    for step in range(1, ITERATIONS + 1):
        scores = bags.sums(parameters[:-1]) + parameters[-1]  # (n, C)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        error = (odds / odds.sum(axis=1, keepdims=True) - labels) / number
        gradient = np.vstack([bags.spread(error, num_words), error.sum(axis=0)])
        gradient[:-1] += parameters[:-1] / number
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.99 * square + 0.01 * gradient**2
        moved = (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
        parameters -= LEARNING_RATE * moved
    return parameters[:-1], parameters[-1]
