"""Train-classifier: examples of two classes -> `model.bin`, and how well it does on held-out ones.

`classifier.json` names the label whose probability is the score; `evaluation.json` has precision
and recall at each tenth of the scores. `counts.extra["heldout"]` has the figures at 0.5.

After DCLM (Li et al. 2024): equal treatment of both classes, up to 200,000 texts each. Texts are
read twice, once for their hashes and once for those chosen. The hash chooses, holds out and orders,
so the order and the shards of what is read change nothing; equal texts are one example, and a text
in both classes is none.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from pipeline_config.classifier import ClassifierConfig, Examples
from pipeline_config.quality import QualityRules
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.tables import read_table
from tasks.quality import fasttext_model, roc
from tasks.quality.example_files import read_examples
from tasks.quality.rules import decide

Keys = npt.NDArray[np.uint64]
MODEL, LABEL = "model.bin", "classifier.json"
STEPS = 20  # places of the held-out scores that `evaluation.json` tells about
BLOCK_LINES = 256
FEWEST = 2  # examples to learn from, and to measure with, of either class


@dataclass
class Chosen:
    """The examples by their hashes, in order, and where their lines lie in one file."""

    keys: Keys
    positive: npt.NDArray[np.bool_]
    heldout: npt.NDArray[np.bool_]
    offsets: npt.NDArray[np.int64] = field(init=False)
    lengths: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        """No line is known yet."""
        self.offsets = np.full(len(self.keys), -1, np.int64)
        self.lengths = np.zeros(len(self.keys), np.int64)

    def count(self, *, heldout: bool) -> dict[str, int]:
        """How many of each class are held out, or not."""
        own = self.positive[self.heldout == heldout]
        return {"positive": int(own.sum()), "negative": int((~own).sum())}


class ExampleReader:
    """The lines of either class, read anew each time; the first time it counts them."""

    def __init__(
        self,
        build: Build,
        documents: dict[str, ArtifactRef],
        scores: dict[str, ArtifactRef],
        rules: dict[str, QualityRules],
        config: ClassifierConfig,
    ) -> None:
        """All of them by source."""
        self.build = build
        self.documents, self.scores, self.rules = documents, scores, rules
        self.config = config
        self.counting = True

    def lines(self, *, positive: bool) -> Iterator[str]:
        """The lines of one class that are not empty."""
        examples = self.config.positives if positive else self.config.negatives
        for text in self._texts(examples):
            line = fasttext_model.one_line(text)
            self._read()
            if line:
                yield line
            else:
                self.drop("empty_text")

    def drop(self, reason: str, number: int = 1) -> None:
        """Counts what is no example, once."""
        if self.counting:
            self.build.counts.drop(reason, number)

    def _read(self) -> None:
        self.build.counts.read += self.counting

    def _unread(self, reason: str) -> None:
        self._read()
        self.drop(reason)

    def _texts(self, examples: Examples) -> Iterator[str]:
        for source in examples.sources:
            pairs = zip(
                self.build.paths(self.documents[source]),
                self.build.paths(self.scores[source]),
                strict=True,
            )
            for documents, scores in pairs:
                passing = decide(read_table(scores), self.rules[source]).reason == ""
                texts = read_table(documents, ["text"])["text"].filter(passing)
                yield from (text.as_py() or "" for text in texts)
        yield from read_examples(examples, self._unread)


def train_classifier(
    build: Build,
    documents: dict[str, ArtifactRef],
    scores: dict[str, ArtifactRef],
    rules: dict[str, QualityRules],
    config: ClassifierConfig,
) -> None:
    """Train a classifier, or take the given one, and measure it.

    `documents`, `scores` and `rules` are those of the sources that hold examples; the rules decide
    which of their documents are.

    Raises:
        ValueError: when a class has too few examples, with the funnel, or a model lacks the label.
    """
    reader = ExampleReader(build, documents, scores, rules, config)
    path = build.scratch / MODEL
    label = fasttext_model.POSITIVE
    if config.model is not None:
        label = config.positive_label
        shutil.copyfile(Path(config.model).expanduser(), path)
    if config.positives.is_given:
        chosen = choose(reader, config, hold_out_all=config.model is not None)
        spool = build.scratch / "lines.txt"
        write_lines(reader, chosen, spool)
        if config.model is None:
            examples = build.scratch / "examples.txt"
            write_examples(chosen, spool, examples)
            build.log(f"learns from {chosen.count(heldout=False)}")
            fasttext_model.train(examples, config.fasttext, path)
        measure(build, given_model(path, label), label, chosen, spool)
    else:
        given_model(path, label)
    build.add_file(MODEL, path)
    build.add_json(LABEL, {"positive_label": label})


def given_model(path: Path, label: str) -> Any:
    """Load a model.

    Raises:
        ValueError: when it does not have the label.
    """
    model = fasttext_model.load(path)
    labels = model.get_labels()
    if label not in labels:
        raise ValueError(f"the model has no label {label!r}; it has {', '.join(labels[:12])}")
    return model


def choose(reader: ExampleReader, config: ClassifierConfig, *, hold_out_all: bool) -> Chosen:
    """Choose the examples of both classes.

    Raises:
        ValueError: when there are too few, with the funnel.
    """
    every = [
        np.fromiter((_key(line, config.seed) for line in reader.lines(positive=side)), np.uint64)
        for side in (True, False)
    ]
    reader.counting = False
    counts = reader.build.counts
    unique = [np.unique(keys) for keys in every]
    both = np.intersect1d(unique[0], unique[1])
    own = [np.setdiff1d(keys, both) for keys in unique]  # sorted, so their beginning is a sample
    taken = [keys[: config.max_examples] for keys in own]
    counts.drop("in_both_classes", 2 * len(both))
    counts.drop("duplicate_example", sum(map(len, every)) - sum(map(len, unique)))
    counts.drop("not_sampled", sum(map(len, own)) - sum(map(len, taken)))
    counts.kept = sum(map(len, taken))
    keys = np.concatenate(taken)
    positive = np.repeat([True, False], [len(side) for side in taken])
    order = np.argsort(keys)
    # The sample has the smallest keys: their lower half is as good as new.
    heldout = (keys & np.uint64(2**32 - 1)) < np.uint64(config.heldout_share * 2**32)
    chosen = Chosen(keys[order], positive[order], (heldout | hold_out_all)[order])
    counts.extra["examples"] = chosen.count(heldout=False)
    counts.extra["heldout"] = chosen.count(heldout=True)
    groups = [("heldout", True)] if hold_out_all else [("examples", False), ("heldout", True)]
    for name, side in groups:
        if min(chosen.count(heldout=side).values()) < FEWEST:
            raise ValueError(
                f"{reader.build.label} has too few {name} ({chosen.count(heldout=side)}): {counts}"
            )
    return chosen


def write_lines(reader: ExampleReader, chosen: Chosen, spool: Path) -> None:
    """Write the lines of the examples as they come, and note where they lie."""
    place = 0
    with spool.open("wb") as file:
        for side in (True, False):
            for line in reader.lines(positive=side):
                key = np.uint64(_key(line, reader.config.seed))
                index = int(np.searchsorted(chosen.keys, key))
                if index == len(chosen.keys) or chosen.keys[index] != key:
                    continue
                if chosen.offsets[index] >= 0:
                    continue
                data = line.encode()
                chosen.offsets[index], chosen.lengths[index] = place, len(data)
                place += file.write(data)
            reader.build.log(f"{place / 1e6:,.1f} MB of examples")


def write_examples(chosen: Chosen, spool: Path, examples: Path) -> None:
    """Write what to learn from, with labels, in the order of the hashes: the classes are mixed."""
    with examples.open("wb") as file:
        for index, line in _lines(chosen, spool, heldout=False):
            positive = chosen.positive[index]
            label = fasttext_model.POSITIVE if positive else fasttext_model.NEGATIVE
            file.write(f"{label} {line}\n".encode())


def measure(build: Build, model: Any, label: str, chosen: Chosen, spool: Path) -> None:
    """Measure a model on the held-out examples."""
    places, scores, block = [], [], []
    for index, line in _lines(chosen, spool, heldout=True):
        places.append(index)
        block.append(line)
        if len(block) == BLOCK_LINES:
            scores.append(fasttext_model.scores(model, block, label))
            block = []
    scores.append(fasttext_model.scores(model, block, label))
    positive = chosen.positive[places]
    figures = evaluation(np.concatenate(scores), positive)
    build.counts.extra["heldout"] |= {key: figures[key] for key in figures if key != "by_score"}
    build.log(
        f"held out: ROC AUC {figures['roc_auc']:.3f}; at 0.5 precision {figures['precision']:.3f}, "
        f"recall {figures['recall']:.3f}"
    )
    build.add_json("evaluation.json", figures)


def evaluation(scores: roc.Scores, positive: roc.Labels) -> dict[str, Any]:
    """Return how well the scores tell the classes apart, and what each limit would keep."""

    def at(min_score: float) -> dict[str, float]:
        precision, recall = roc.precision_recall(scores, positive, min_score)
        return {"min_score": min_score, "precision": precision, "recall": recall}

    limits = np.unique(np.quantile(scores, np.linspace(0, 1, STEPS + 1), method="higher"))
    by_score = [
        {**at(limit), "kept_share": float((scores >= limit).mean())} for limit in limits.tolist()
    ]
    return {"roc_auc": roc.roc_auc(scores, positive), **at(0.5), "by_score": by_score}


def _key(line: str, seed: int) -> int:
    return xxhash.xxh3_64_intdigest(line.encode(), seed)


def _lines(chosen: Chosen, spool: Path, *, heldout: bool) -> Iterator[tuple[int, str]]:
    with spool.open("rb") as file:
        for index in np.flatnonzero(chosen.heldout == heldout).tolist():
            file.seek(int(chosen.offsets[index]))
            yield index, file.read(int(chosen.lengths[index])).decode()
