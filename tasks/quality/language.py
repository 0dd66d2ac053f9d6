"""Language identification: py3langid's model, walked by a compiled loop.

py3langid (after Lui and Baldwin 2012) runs a finite automaton over a text's UTF-8, counts the
features it meets, and asks a naive Bayes model: log-probabilities times log(1 + count), divided by
the square root of the text's length in bytes so that long texts are not all certain, then softmax.
Its own loop is Python, 3 MB/s; this one gives the same languages and, to four decimals, the same
probabilities (a test says so). A text without any feature is "und" with 0.0.
"""

import math
import unicodedata
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

Bytes: TypeAlias = npt.NDArray[np.uint8]
Moves: TypeAlias = npt.NDArray[np.uint32]
Features: TypeAlias = npt.NDArray[np.int32]
Weights: TypeAlias = npt.NDArray[np.float32]
Shares: TypeAlias = npt.NDArray[np.float64]

# The probability is rounded so that the last bits of exp() on another machine change nothing.
DECIMALS = 4
UNDETERMINED = "und"

SCHEMA = pa.schema([("language", pa.string()), ("language_score", pa.float64())])


class Model(NamedTuple):
    """The automaton and the Bayes model."""

    start: int  # where the first row begins
    moves: Moves  # (rows * 256,) from a row by a byte: where the next row begins
    features: Features  # (rows * 256,) the feature met on the way, or -1
    weights: Weights  # (features, classes) log-probabilities
    priors: Weights  # (classes,)
    language_of: npt.NDArray[np.int64]  # (classes,) index in `languages`: some have two classes
    languages: list[str]


class Identified(NamedTuple):
    """Language codes and their probabilities, one of each per text."""

    languages: list[str]
    scores: Shares


@cache
def load_model() -> Model:
    """Load the model that py3langid carries; 0.7 s and 140 MB, once per process."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    loaded = LanguageIdentifier.from_model_file(MODEL_FILE)
    languages = list(dict.fromkeys(loaded.nb_classes))
    # A state is a row of moves, shared by many states, and a feature: store both with the move.
    states = np.array(loaded.tk_nextmove, np.uint32)
    row_of = np.array(loaded.tk_row, np.uint32) << np.uint32(8)
    return Model(
        start=int(row_of[0]),
        moves=row_of[states],
        features=np.array(loaded.tk_output, np.int32)[states],
        weights=np.ascontiguousarray(loaded.nb_ptc, np.float32),
        priors=np.ascontiguousarray(loaded.nb_pc, np.float32),
        language_of=np.array([languages.index(code) for code in loaded.nb_classes]),
        languages=languages,
    )


def identify(texts: list[str]) -> Identified:
    """Return the likeliest language of each text."""
    model = load_model()
    encoded = [_encode(text) for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)])
    data = np.frombuffer(b"".join(encoded), np.uint8).copy()
    best, scores = _identify(data, offsets, *model[:-1], len(model.languages))
    names = [model.languages[index] if index >= 0 else UNDETERMINED for index in best.tolist()]
    return Identified(names, np.round(scores, DECIMALS))


def _encode(text: str) -> bytes:
    """The bytes that the model was trained on: NFC, and no text all in capitals."""
    if text.isupper():
        text = text.lower()
    return unicodedata.normalize("NFC", text).encode(errors="surrogatepass")


@njit()
def _meet_features(
    data: Bytes, start: int, moves: Moves, features: Features, counts: Features, met: Features
) -> int:
    """Count the features of one text; list them in order of first appearance, return how many."""
    number, row = 0, np.uintp(start)
    for byte in data:
        move = row + np.uintp(byte)
        feature = features[move]
        row = np.uintp(moves[move])
        if feature >= 0:
            if counts[feature] == 0:
                met[number] = feature
                number += 1
            counts[feature] += 1
    return number


@njit()
def _weigh(met: Features, counts: Features, weights: Weights, logits: Weights) -> None:
    """Add the evidence of the features met, whose counts are zeroed; `logits` holds the priors."""
    for feature in met:
        evidence = np.float32(math.log1p(counts[feature]))
        for k in range(len(logits)):
            logits[k] += evidence * weights[feature, k]
        counts[feature] = 0


@njit()
def _likeliest(
    logits: Weights, sharpness: float, language_of: npt.NDArray[np.int64], shares: Shares
) -> tuple[int, float]:
    """Return the language of the largest share of the softmax, and that share."""
    highest, total, best = logits[0], 0.0, 0
    for logit in logits:
        highest = max(highest, logit)
    for k in range(len(shares)):
        shares[k] = 0.0
    for k in range(len(logits)):
        share = math.exp((logits[k] - highest) * sharpness)
        shares[language_of[k]] += share
        total += share
    for k in range(len(shares)):
        if shares[k] > shares[best]:
            best = k
    return best, shares[best] / total


@njit(
    "Tuple((int64[::1], float64[::1]))(uint8[::1], int64[::1], int64, uint32[::1], int32[::1], "
    "float32[:, ::1], float32[::1], int64[::1], int64)",
    cache=True,
)
def _identify(
    data: Bytes,
    offsets: npt.NDArray[np.int64],
    start: int,
    moves: Moves,
    features: Features,
    weights: Weights,
    priors: Weights,
    language_of: npt.NDArray[np.int64],
    num_languages: int,
) -> tuple[npt.NDArray[np.int64], Shares]:
    """Return the index of each text's language, -1 if no feature was met, and its probability."""
    counts = np.zeros(len(weights), np.int32)
    met = np.empty(len(weights), np.int32)
    logits, shares = np.empty(len(priors), np.float32), np.empty(num_languages, np.float64)
    best = np.full(len(offsets) - 1, -1, np.int64)
    scores = np.zeros(len(offsets) - 1, np.float64)
    for text in range(len(best)):
        own = data[offsets[text] : offsets[text + 1]]
        number = _meet_features(own, start, moves, features, counts, met)
        if number == 0:
            continue
        for k in range(len(priors)):
            logits[k] = priors[k]
        _weigh(met[:number], counts, weights, logits)
        sharpness = 1.0 / math.sqrt(len(own))
        best[text], scores[text] = _likeliest(logits, sharpness, language_of, shares)
    return best, scores
