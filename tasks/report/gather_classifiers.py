"""Gathers what the report says about quality classifiers: how good they are, what they score."""

import json

from storage.artifact import ArtifactRef, Counts
from tasks.report.contents import ClassifiedSource, Classifier, HeldOutExamples, ScoreLimit
from tasks.report.inputs import Inputs


def classifiers(inputs: Inputs) -> tuple[Classifier, ...]:
    """Every classifier of the run, trained in it or pinned before."""
    return tuple(
        Classifier(
            name,
            *_learnt(inputs, ref),
            heldout=_heldout(inputs, ref),
            sources=tuple(
                _source(inputs, name, source, scored)
                for source, scored in inputs.sources(f"classify/{name}").items()
            ),
        )
        for name, ref in inputs.sources("train-classifier").items()
    )


def _learnt(inputs: Inputs, ref: ArtifactRef) -> tuple[int, int]:
    examples = inputs.counts(ref).extra.get("examples", {})
    return examples.get("positive", 0), examples.get("negative", 0)


def _heldout(inputs: Inputs, ref: ArtifactRef) -> HeldOutExamples | None:
    if not inputs.has(ref, "evaluation.json"):
        return None  # a model that was given without examples
    figures = json.loads(inputs.path(ref, "evaluation.json").read_text(encoding="utf-8"))
    heldout = inputs.counts(ref).extra["heldout"]
    return HeldOutExamples(
        heldout["positive"],
        heldout["negative"],
        figures["roc_auc"],
        figures["precision"],
        figures["recall"],
        tuple(ScoreLimit(**row) for row in figures["by_score"]),
    )


def _source(inputs: Inputs, name: str, source: str, scored: ArtifactRef) -> ClassifiedSource:
    tenths = inputs.counts(scored).extra["tenths"]
    cutoff, decided = inputs.get("find-cutoff", f"{name}/{source}"), inputs.get("decide", source)
    found = inputs.counts(cutoff) if cutoff is not None else Counts()
    limits = inputs.counts(decided).extra.get("limits", {}) if decided is not None else {}
    own = [limit for limit in limits.values() if limit["signal"] == f"classifier_{name}"]
    return ClassifiedSource(
        source,
        tuple(tenths[str(tenth)] for tenth in range(10)),
        next((limit["from"] for limit in own if limit["from"] is not None), None),
        next((limit["to"] for limit in own if limit["to"] is not None), None),
        found.kept,
        round(found.kept * found.extra.get("kept_share", 0.0)),
    )
