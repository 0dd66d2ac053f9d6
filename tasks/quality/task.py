"""The steps of quality filtering."""

from pipeline_config.quality import QualityRules, ScoreConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.steps import step


@step("score", version="1", libraries=("py3langid",))
def score(build: Build, documents: ArtifactRef, config: ScoreConfig) -> None:
    """Measure the signals of one source's documents."""
    from tasks.quality.score import score_documents

    score_documents(build, documents, config)


@step("decide", version="1")
def decide(build: Build, scores: ArtifactRef, rules: QualityRules) -> None:
    """Decide which documents of one source to keep, by the limits that hold for it."""
    from tasks.quality.decide import decide_documents

    decide_documents(build, scores, rules)
