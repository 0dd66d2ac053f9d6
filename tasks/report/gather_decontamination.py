"""Gathers what the report says about evaluation sets: what was looked for, and where it stood."""

import json
from typing import Any

from pipeline_config.report import ReportConfig
from tasks.report.contents import Contamination, Decontamination, EvaluationSet
from tasks.report.inputs import Inputs

STEP = "decontaminate"


def decontamination(inputs: Inputs, config: ReportConfig) -> Decontamination | None:
    """The sets and a few of the documents that hold their items; None without the step."""
    reports = {
        source: json.loads(inputs.path(ref, "report.json").read_text(encoding="utf-8"))
        for source, ref in inputs.sources(STEP).items()
    }
    if not reports:
        return None
    return Decontamination(_sets(reports), _found(inputs, config))


def _sets(reports: dict[str, dict[str, Any]]) -> tuple[EvaluationSet, ...]:
    # A source need not be searched for every set: the figures are those of one that is.
    names = sorted({name for report in reports.values() for name in report["sets"]})
    figures_of = {
        name: max(
            (report["sets"][name] for report in reports.values() if name in report["sets"]),
            key=lambda figures: figures["by_ngram"] + figures["whole"] + figures["too_short"],
        )
        for name in names
    }
    return tuple(
        EvaluationSet(
            name,
            items=figures["items"],
            by_ngram=figures["by_ngram"],
            whole=figures["whole"],
            too_short=figures["too_short"],
            found=tuple(
                (source, report["sets"][name]["items_hit"], report["sets"][name]["documents"])
                for source, report in reports.items()
                if report["sets"].get(name, {}).get("documents")
            ),
        )
        for name, figures in figures_of.items()
    )


def _found(inputs: Inputs, config: ReportConfig) -> tuple[Contamination, ...]:
    """For every source and set the documents with the largest shares of an item."""
    chosen: list[Contamination] = []
    for source, ref in inputs.sources(STEP).items():
        by_set: dict[str, dict[str, dict[str, Any]]] = {}
        for table in inputs.tables(ref, folder="hits"):
            for row in table.to_pylist():
                best = by_set.setdefault(row["set"], {})
                if row["dropped"] and _rank(row) < _rank(best.get(row["id"], {})):
                    best[row["id"]] = row
                    _cut(best, config.examples_per_reason)
        for found in by_set.values():
            chosen += [_contamination(source, row) for row in sorted(found.values(), key=_rank)]
    return tuple(chosen)


def _rank(row: dict[str, Any]) -> tuple[float, str, int]:
    """Small for a large share; a row that is not there is last."""
    return (-row["share"], row["id"], row["number"]) if row else (1.0, "", 0)


def _cut(best: dict[str, dict[str, Any]], most: int) -> None:
    if len(best) > most:
        del best[max(best, key=lambda name: _rank(best[name]))]


def _contamination(source: str, row: dict[str, Any]) -> Contamination:
    return Contamination(
        source,
        row["url"],
        row["set"],
        row["number"],
        row["column"],
        row["kind"],
        row["share"],
        row["excerpt"],
    )
