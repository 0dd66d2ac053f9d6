"""Gathers the scores: bits per byte, accuracy before and after fine-tuning, samples."""

import json
from typing import Any

from pipeline_config.report import ReportConfig
from tasks.report.contents import Accuracy, Answered, BitsPerByte, FamilyAccuracy, Measured
from tasks.report.inputs import Inputs


def bits_per_byte(inputs: Inputs) -> tuple[BitsPerByte, ...]:
    """Every source's bits per byte beside the bigram model's."""
    ref = inputs.get("evaluate-lm")
    if ref is None:
        return ()
    table = json.loads(inputs.path(ref, "bits_per_byte.json").read_text(encoding="utf-8"))
    return tuple(
        BitsPerByte(source, row["model"], row["bigram"], row["documents"], row["bytes"])
        for source, row in sorted(table["sources"].items())
    )


def accuracy(inputs: Inputs) -> Accuracy | None:
    """Every family's accuracy after fine-tuning, beside that before it where it was measured."""
    after = _read(inputs, "after", "accuracy.json")
    if after is None:
        return None
    before = _read(inputs, "before", "accuracy.json") or {"families": {}}
    families = tuple(
        _family(name.replace("_", " "), before["families"].get(name), score)
        for name, score in sorted(after["families"].items())
    )
    control = after.get("control")
    return Accuracy(
        families,
        overall=_family("overall", before.get("overall"), after["overall"]),
        control=_family("control", None, control["overall"]) if control else None,
    )


def samples(inputs: Inputs, config: ReportConfig) -> tuple[Answered, ...]:
    """Free prompts, then the first held-out ones, each with both models' replies."""
    after = _read(inputs, "after", "samples.json")
    if after is None:
        return ()
    before = _read(inputs, "before", "samples.json") or {"heldout": [], "free": []}
    earlier = {sample["id"]: sample["reply"] for sample in before["heldout"]}
    earlier_free = {sample["prompt"]: sample["reply"] for sample in before["free"]}
    free = [
        Answered(sample["prompt"], earlier_free.get(sample["prompt"]), sample["reply"])
        for sample in after["free"]
    ]
    heldout = [
        Answered(
            prompt=sample["prompt"],
            before=earlier.get(sample["id"]),
            after=sample["reply"],
            expected=sample["expected"],
            verdict="right" if sample["correct"] else "wrong",
            family=sample["family"].replace("_", " "),
        )
        for sample in after["heldout"]
    ]
    return tuple((free + heldout)[: config.samples])


def _read(inputs: Inputs, label: str, name: str) -> dict[str, Any] | None:
    ref = inputs.get("evaluate-chat", label)
    if ref is None:
        return None
    value: dict[str, Any] = json.loads(inputs.path(ref, name).read_text(encoding="utf-8"))
    return value


def _family(name: str, before: dict[str, Any] | None, after: dict[str, Any]) -> FamilyAccuracy:
    return FamilyAccuracy(
        name,
        before=_measured(before) if before else None,
        after=_measured(after),
        baseline=after["baseline"],
        baseline_name=after["baseline_name"].replace("_", " "),
    )


def _measured(score: dict[str, Any]) -> Measured:
    return Measured(score["accuracy"], score["standard_error"], score["number"])
