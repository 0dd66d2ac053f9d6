"""Language identification: py3langid's model, walked by a compiled loop.

py3langid (after Lui and Baldwin 2012) runs a finite automaton over a text's UTF-8, counts the
features it meets, and asks a naive Bayes model: log-probabilities times log(1 + count), divided by
the square root of the text's length in bytes so that long texts are not all certain, then softmax.
Its own loop is Python, 3 MB/s; this one gives the same languages and, to four decimals, the same
probabilities (a test says so). A text without any feature is "und" with 0.0.
"""

import unicodedata
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

# The probability is rounded so that the last bits of exp() on another machine change nothing.
DECIMALS = 4
UNDETERMINED = "und"

SCHEMA = pa.schema([("language", pa.string()), ("language_score", pa.float64())])


class Model(NamedTuple):
    """The automaton and the Bayes model."""

    start: int  # where the first row begins
    moves: npt.NDArray[np.uint32]  # (rows * 256,) from a row by a byte: where the next row begins
    features: npt.NDArray[np.int32]  # (rows * 256,) the feature met on the way, or -1
    weights: npt.NDArray[np.float32]  # (features, classes) log-probabilities
    priors: npt.NDArray[np.float32]  # (classes,)
    language_of: npt.NDArray[np.int64]  # (classes,) index in `languages`: some have two classes
    languages: list[str]


class Identified(NamedTuple):
    """Language codes and their probabilities, one of each per text."""

    languages: list[str]
    scores: npt.NDArray[np.float64]


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


@njit(
    "Tuple((int64[::1], float64[::1]))(uint8[::1], int64[::1], int64, uint32[::1], int32[::1], "
    "float32[:, ::1], float32[::1], int64[::1], int64)",
    cache=True,
)
def _identify(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    start: int,
    moves: npt.NDArray[np.uint32],
    features: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float32],
    priors: npt.NDArray[np.float32],
    language_of: npt.NDArray[np.int64],
    num_languages: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the index of each text's language, -1 if no feature was met, and its probability."""
    counts = np.zeros(len(weights), np.int32)
    met = np.empty(len(weights), np.int32)  # features in order of their first appearance
    best = np.full(len(offsets) - 1, -1, np.int64)
    scores = np.zeros(len(offsets) - 1, np.float64)
    logits = np.empty(len(priors), np.float32)
    for text in range(len(best)):
        number, row = 0, np.uintp(start)
        for i in range(offsets[text], offsets[text + 1]):
            move = row + np.uintp(data[i])
            feature = features[move]
            row = np.uintp(moves[move])
            if feature >= 0:
                if counts[feature] == 0:
                    met[number] = feature
                    number += 1
                counts[feature] += 1
        if number == 0:
            continue
        logits[:] = priors
        for feature in met[:number]:
            weight = np.float32(np.log1p(counts[feature]))
            for k in range(len(logits)):
                logits[k] += weight * weights[feature, k]
            counts[feature] = 0
        sharpness = 1.0 / np.sqrt(offsets[text + 1] - offsets[text])
        highest = logits.max()
        shares = np.zeros(num_languages, np.float64)
        for k in range(len(logits)):
            shares[language_of[k]] += np.exp(np.float64(logits[k] - highest) * sharpness)
        best[text] = shares.argmax()
        scores[text] = shares[best[text]] / shares.sum()
    return best, scores
