"""The steps of quality filtering."""

import hashlib
import importlib.metadata
import platform
from pathlib import Path
from typing import Any

from pipeline_config.classifier import ClassifierConfig
from pipeline_config.edits import C4LineRules, EditRules, RepeatedLineRules
from pipeline_config.quality import QualityRules, ScoreConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.outside import OutsideFile
from storage.steps import step


def _word_lists(rules: EditRules, **_: object) -> list[str]:
    """The digests of the word lists, files that are read from outside the store."""
    try:
        contents = [Path(path).expanduser().read_bytes() for path in rules.words.lists]
    except OSError as error:
        raise ValueError(f"edits.words.lists: {error.filename}: {error.strerror}") from None
    return [hashlib.sha256(content).hexdigest() for content in contents]


def _example_files(config: ClassifierConfig, **_: object) -> dict[str, Any]:
    from tasks.quality.example_files import identity

    return identity(config)


def _machine(config: ClassifierConfig, **_: object) -> dict[str, Any]:
    """What a trained model depends on: fastText is compiled for an architecture."""
    return {"machine": platform.machine(), "threads": config.fasttext.threads}


def _language_model(config: ScoreConfig, **_: object) -> dict[str, str]:
    """The digest of the user's model for languages, and who reads it."""
    if not config.language_model:
        return {}
    try:
        model = OutsideFile.at(config.language_model)
    except OSError as error:
        path = config.language_model
        raise ValueError(f"quality.score.language_model: {path}: {error.strerror}") from None
    return {"language_model": model.digest, "fasttext": importlib.metadata.version("fasttext")}


@step("score", version="2", libraries=("py3langid",), identity=_language_model)
def score(build: Build, documents: ArtifactRef, config: ScoreConfig, c4_lines: C4LineRules) -> None:
    """Measure the signals of one source's documents; `c4_lines` says which lines C4's are about."""
    from tasks.quality.score import score_documents

    score_documents(build, documents, config, c4_lines)


@step(
    "train-classifier",
    version="1",
    libraries=("fasttext", "xxhash"),
    identity=_example_files,
    facts=_machine,
)
def train_classifier(
    build: Build,
    documents: dict[str, ArtifactRef],
    scores: dict[str, ArtifactRef],
    rules: dict[str, QualityRules],
    config: ClassifierConfig,
) -> None:
    """Train a fastText classifier; documents, scores and rules are of the examples' sources."""
    from tasks.quality.train_classifier import train_classifier

    train_classifier(build, documents, scores, rules, config)


@step("classify", version="1", libraries=("fasttext",))
def classify(build: Build, documents: ArtifactRef, classifier: ArtifactRef) -> None:
    """Score the documents of one source by a classifier."""
    from tasks.quality.classify import classify_documents

    classify_documents(build, documents, classifier)


@step("find-cutoff", version="1")
def find_cutoff(
    build: Build,
    scores: ArtifactRef,
    classes: dict[str, ArtifactRef],
    classifier: str,
    rules: QualityRules,
) -> None:
    """Find the score of a classifier from which on its share of one source is kept."""
    from tasks.quality.find_cutoff import find_cutoff

    find_cutoff(build, scores, classes, classifier, rules)


@step("decide", version="2")
def decide(
    build: Build,
    scores: ArtifactRef,
    classes: dict[str, ArtifactRef],
    cutoffs: dict[str, ArtifactRef],
    rules: QualityRules,
) -> None:
    """Decide which documents of one source to keep; classes and cut-offs are by classifier."""
    from tasks.quality.decide import decide_documents

    decide_documents(build, scores, classes, cutoffs, rules)


@step("find-boilerplate", version="2", libraries=("xxhash",))
def find_boilerplate(
    build: Build, documents: ArtifactRef, decisions: ArtifactRef, rules: RepeatedLineRules
) -> None:
    """Find the lines that stand on many pages of one source."""
    from tasks.quality.find_boilerplate import find_boilerplate

    find_boilerplate(build, documents, decisions, rules)


@step("edit", version="4", libraries=("phonenumbers", "xxhash"), identity=_word_lists)
def edit(
    build: Build,
    documents: ArtifactRef,
    decisions: ArtifactRef,
    boilerplate: ArtifactRef | None,
    rules: EditRules,
) -> None:
    """Cut lines and replace what is personal in the documents of one source that quality kept."""
    from tasks.quality.edit import edit_documents

    edit_documents(build, documents, decisions, boilerplate, rules)
