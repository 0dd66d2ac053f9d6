"""The steps of decontamination."""

from typing import Any

from pipeline_config.decontamination import EvaluationSet, MatchConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.steps import step


def _digests(sets: dict[str, EvaluationSet]) -> dict[str, Any]:
    from tasks.decontamination.item_files import identity

    return identity(sets)


@step("collect-items", version="1", identity=_digests)
def collect_items(build: Build, sets: dict[str, EvaluationSet]) -> None:
    """Read the items of all evaluation sets."""
    from tasks.decontamination.collect_items import collect_items

    collect_items(build, sets)


@step("decontaminate", version="1")
def decontaminate(
    build: Build,
    documents: ArtifactRef,
    edited: ArtifactRef,
    deduped: ArtifactRef,
    substring: ArtifactRef | None,
    items: ArtifactRef,
    config: MatchConfig,
    source: str,
) -> None:
    """Drop the documents of one source that hold an item; `deduped` is on all sources."""
    from tasks.decontamination.decontaminate import decontaminate

    decontaminate(build, documents, edited, deduped, substring, items, config, source)
