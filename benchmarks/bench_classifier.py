"""The quality classifier on documents with human labels: cross-validated area under the ROC curve.

`--labels` is a file of JSON lines {text, label}, such as DCLM's human judgements, which are no part
of the project; label 1 is good. Five folds by the hash of the text; every document is scored by the
model of the four folds that it is not in, and `roc_auc` is of all scores together. Few hundred
documents need more passes at a higher rate than the recipe's 5 at 0.1, which stands beside them.
One thread. Prints a table, and last one line of JSON:

- `n_docs`, `folds`;
- `roc_auc`: with 25 passes at 0.5; `roc_auc_recipe`: with 5 at 0.1;
- `roc_auc_fold_mean`: the mean of the folds' own areas, as `roc_auc`;
- `train_words_per_s` (words x passes), `score_docs_per_s`.

    python benchmarks/bench_classifier.py --labels quality_labels.jsonl
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xxhash

from pipeline_config.classifier import FastTextConfig
from tasks.quality import fasttext_model
from tasks.quality.roc import Labels, Scores, roc_auc

FOLDS = 5
BUCKETS = 100_000  # plenty for a few hundred documents, and 20 times faster to make
SETTINGS = {
    "recipe": FastTextConfig(buckets=BUCKETS),
    "more": FastTextConfig(buckets=BUCKETS, num_epochs=25, learning_rate=0.5),
}


class Validated(NamedTuple):
    """What came of one setting."""

    scores: Scores
    folds: np.ndarray
    train_seconds: float
    score_seconds: float


def read_labelled(path: Path) -> tuple[list[str], Labels]:
    """The lines as fastText sees them, ordered by hash so that the classes mix; and the labels."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [(fasttext_model.one_line(row["text"]), str(row["label"]) == "1") for row in rows]
    pairs.sort(key=lambda pair: xxhash.xxh3_64_intdigest(pair[0].encode()))
    return [line for line, _ in pairs], np.array([label for _, label in pairs])


def cross_validate(lines: list[str], positive: Labels, config: FastTextConfig) -> Validated:
    """Score every line by a model that has not seen it."""
    folds = np.arange(len(lines)) % FOLDS
    scores = np.zeros(len(lines))
    train_seconds = score_seconds = 0.0
    for fold in range(FOLDS):
        with tempfile.TemporaryDirectory() as folder:
            examples = Path(folder) / "examples.txt"
            examples.write_text("".join(example(lines, positive, folds != fold)))
            started_at = time.perf_counter()
            fasttext_model.train(examples, config, Path(folder) / "model.bin")
            model = fasttext_model.load(Path(folder) / "model.bin")
        train_seconds += time.perf_counter() - started_at
        started_at = time.perf_counter()
        own = np.flatnonzero(folds == fold)
        held_out = [lines[index] for index in own]
        scores[own] = fasttext_model.scores(model, held_out, fasttext_model.POSITIVE)
        score_seconds += time.perf_counter() - started_at
    return Validated(scores, folds, train_seconds, score_seconds)


def example(lines: list[str], positive: Labels, chosen: Labels) -> list[str]:
    """The lines to learn from, with their labels."""
    labels = {True: fasttext_model.POSITIVE, False: fasttext_model.NEGATIVE}
    return [f"{labels[bool(positive[index])]} {lines[index]}\n" for index in np.flatnonzero(chosen)]


def main() -> None:
    """Print the table and the line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=Path, required=True, help="JSON lines {text, label}")
    arguments = parser.parse_args()
    lines, positive = read_labelled(arguments.labels)
    words = sum(len(line.split()) for line in lines) * (FOLDS - 1)
    print(f"{len(lines)} documents, {int(positive.sum())} good, {FOLDS} folds")
    print(f"{'passes':>6} {'rate':>5} {'ROC AUC':>8} {'of folds':>8} {'train s':>8} {'score s':>8}")
    figures: dict[str, float] = {"n_docs": len(lines), "folds": FOLDS}
    for name, config in SETTINGS.items():
        found = cross_validate(lines, positive, config)
        area = roc_auc(found.scores, positive)
        own = (found.folds == fold for fold in range(FOLDS))
        mean = float(np.mean([roc_auc(found.scores[mask], positive[mask]) for mask in own]))
        print(
            f"{config.num_epochs:>6} {config.learning_rate:>5} {area:>8.4f} {mean:>8.4f} "
            f"{found.train_seconds:>8.1f} {found.score_seconds:>8.2f}"
        )
        if name == "recipe":
            figures["roc_auc_recipe"] = round(area, 4)
        else:
            figures |= {"roc_auc": round(area, 4), "roc_auc_fold_mean": round(mean, 4)}
            rate = words * config.num_epochs / found.train_seconds
            figures["train_words_per_s"] = round(rate)
            figures["score_docs_per_s"] = round(len(lines) / found.score_seconds)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
