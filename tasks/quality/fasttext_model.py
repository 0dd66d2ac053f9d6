"""A fastText classifier: lines of text in, the probability of one label out.

Joulin et al. 2016, "Bag of tricks for efficient text classification": the mean of the vectors of a
text's words and word n-grams, then softmax. A text becomes one line, breaks turned into spaces, as
in DCLM (Li et al. 2024). `FastText.predict` fails with numpy 2, which is why the compiled model
below it is asked instead.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline_config.classifier import FastTextConfig
from tasks.quality.fasttext_training import train_apart

POSITIVE, NEGATIVE = "__label__positive", "__label__negative"
DECIMALS = 6  # so that the last bits of exp() on another machine change nothing
# What fastText takes for a label or for the end of a line, wherever it stands.
MARKS = re.compile(r"__label__|</s>")


def one_line(text: str) -> str:
    r"""Return a text as fastText reads it: one line, without what would end or label it.

    >>> one_line(" Two words\nand __label__three </s> ")
    'Two words and label three s'
    """
    words = " ".join(MARKS.sub(_harmless, text).replace("\0", " ").split())
    return words.encode("utf-8", "replace").decode()


def train(examples: Path, config: FastTextConfig, model: Path) -> None:
    """Train on a file with a label and a text per line, and write the model.

    Equal files and settings give equal models, byte for byte, with one thread on one machine.

    Raises:
        ValueError: when fastText cannot learn from them.
    """
    settings = {
        "lr": config.learning_rate,
        "epoch": config.num_epochs,
        "dim": config.dimensions,
        "wordNgrams": config.word_ngrams,
        "minCount": config.min_count,
        "bucket": config.buckets,
        "thread": config.threads,
        "seed": config.seed,
    }
    train_apart(examples, model, settings)


def load(path: Path) -> Any:
    """Load a model.

    Raises:
        ValueError: when the file is no fastText model.
    """
    import fasttext

    return fasttext.load_model(str(path))


def scores(model: Any, lines: list[str], label: str) -> npt.NDArray[np.float64]:
    """Return the probability of a label for each line, in order."""
    found = np.zeros(len(lines))
    for index, line in enumerate(lines):
        for probability, name in model.f.predict(f"{line}\n", -1, 0.0, "strict"):
            if name == label:
                found[index] = probability
    clipped: npt.NDArray[np.float64] = np.clip(found, 0.0, 1.0)
    return clipped.round(DECIMALS)


def _harmless(mark: re.Match[str]) -> str:
    return "label " if mark[0] == "__label__" else "s"
