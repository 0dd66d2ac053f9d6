"""The steps of quality filtering."""

import hashlib
from pathlib import Path

from pipeline_config.edits import C4LineRules, EditRules, RepeatedLineRules
from pipeline_config.quality import QualityRules, ScoreConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.steps import step


def _word_lists(rules: EditRules, **_: object) -> list[str]:
    """The digests of the word lists, files that are read from outside the store."""
    contents = (Path(path).expanduser().read_bytes() for path in rules.words.lists)
    return [hashlib.sha256(content).hexdigest() for content in contents]


@step("score", version="2", libraries=("py3langid",))
def score(build: Build, documents: ArtifactRef, config: ScoreConfig, c4_lines: C4LineRules) -> None:
    """Measure the signals of one source's documents; `c4_lines` says which lines C4's are about."""
    from tasks.quality.score import score_documents

    score_documents(build, documents, config, c4_lines)


@step("decide", version="1")
def decide(build: Build, scores: ArtifactRef, rules: QualityRules) -> None:
    """Decide which documents of one source to keep, by the limits that hold for it."""
    from tasks.quality.decide import decide_documents

    decide_documents(build, scores, rules)


@step("find-boilerplate", version="1", libraries=("xxhash",))
def find_boilerplate(
    build: Build, documents: ArtifactRef, decisions: ArtifactRef, rules: RepeatedLineRules
) -> None:
    """Find the lines that stand on many pages of one source."""
    from tasks.quality.find_boilerplate import find_boilerplate

    find_boilerplate(build, documents, decisions, rules)


@step("edit", version="1", libraries=("phonenumbers", "xxhash"), identity=_word_lists)
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
