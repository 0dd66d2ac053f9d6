"""The steps of deduplication."""

from pipeline_config.dedup import DedupConfig, SignatureConfig
from pipeline_config.substring import SubstringConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.steps import step


@step("sign", version="1")
def sign(
    build: Build, documents: ArtifactRef, decisions: ArtifactRef, config: SignatureConfig
) -> None:
    """Fingerprint the documents of one source that quality kept."""
    from tasks.dedup.sign import sign_documents

    sign_documents(build, documents, decisions, config)


@step("dedup", version="4")
def dedup(
    build: Build,
    signatures: dict[str, ArtifactRef],
    decisions: dict[str, ArtifactRef],
    config: DedupConfig,
    scores: dict[str, ArtifactRef] | None = None,
) -> None:
    """Find the duplicates among all sources; all mappings are keyed by source.

    `scores` are needed for keep: best_score only, those of quality or of the classifier it names.
    """
    from tasks.dedup.decide import decide_duplicates

    decide_duplicates(build, signatures, decisions, config, scores)


@step("substring", version="1")
def substring(
    build: Build,
    documents: dict[str, ArtifactRef],
    edited: dict[str, ArtifactRef],
    deduped: ArtifactRef,
    config: SubstringConfig,
) -> None:
    """Cut spans that come more than once among all sources; both mappings are keyed by source."""
    from tasks.dedup.substring import cut_substrings

    cut_substrings(build, documents, edited, deduped, config)
