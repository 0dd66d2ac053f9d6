"""Language identification by a fastText model, such as Facebook's lid.176 (Joulin et al. 2016).

The file is the user's. A text is one line to it, line breaks turned into spaces, as in datatrove;
the answer is the label with the greatest probability, without `__label__`, and that probability.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tasks.quality import fasttext_model
from tasks.quality.language import DECIMALS, UNDETERMINED, Identified

LABEL = "__label__"


@lru_cache(maxsize=1)
def load_model(path: str) -> Any:
    """Load a model; once per process.

    Raises:
        ValueError: when the file is no fastText model.
    """
    return fasttext_model.load(Path(path))


def identify(texts: list[str], path: str) -> Identified:
    """Return the likeliest language of each text; "und" with 0.0 for a text without words."""
    model = load_model(path)
    languages, scores = [], np.zeros(len(texts))
    for index, text in enumerate(texts):
        line = fasttext_model.one_line(text)
        found = model.f.predict(f"{line}\n", 1, 0.0, "strict") if line else []
        languages.append(found[0][1].removeprefix(LABEL) if found else UNDETERMINED)
        scores[index] = min(found[0][0], 1.0) if found else 0.0
    return Identified(languages, scores.round(DECIMALS))
