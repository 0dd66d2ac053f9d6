"""Dot plots: one row per source or family, marks at their place between two ends of a scale."""

from dataclasses import dataclass
from typing import Literal

from tasks.report.contents import Accuracy, BitsPerByte, FamilyAccuracy
from tasks.report.figures import NOTHING, decimal, share

MarkKind = Literal["dot", "hollow", "tick", "error", "link"]


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark; `at` is its middle, or the left end of one with a width."""

    kind: MarkKind
    at: float
    title: str
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    """One family, all families together, or the control."""

    kind: Literal["family", "overall", "control"]
    score: FamilyAccuracy
    marks: tuple[Mark, ...]

    @property
    def margin(self) -> str:
        """How many standard errors the accuracy lies above the baseline."""
        after = self.score.after
        if not after.error:
            return NOTHING
        return f"{decimal((after.value - self.score.baseline) / after.error, 1)} s.e."


def bits_marks(row: BitsPerByte) -> tuple[Mark, ...]:
    """The model, the bigram model, and the way between them."""
    low, high = sorted((row.model, row.baseline))
    return (
        Mark("link", low, "", high - low),
        Mark("hollow", row.baseline, f"bigrams {decimal(row.baseline)}"),
        Mark("dot", row.model, f"model {decimal(row.model)}"),
    )


def accuracy_rows(accuracy: Accuracy | None) -> list[AccuracyRow]:
    """The families, then all together, then the control."""
    if accuracy is None:
        return []
    rows = [AccuracyRow("family", row, accuracy_marks(row)) for row in accuracy.families]
    rows.append(AccuracyRow("overall", accuracy.overall, accuracy_marks(accuracy.overall)))
    if accuracy.control is not None:
        rows.append(AccuracyRow("control", accuracy.control, accuracy_marks(accuracy.control)))
    return rows


def accuracy_marks(row: FamilyAccuracy) -> tuple[Mark, ...]:
    """Two standard errors to either side, the baseline, before and after."""
    low = max(0.0, row.after.value - 2 * row.after.error)
    high = min(1.0, row.after.value + 2 * row.after.error)
    marks = [
        Mark("error", low, "± 2 standard errors", high - low),
        Mark("tick", row.baseline, f"{row.baseline_name} {share(row.baseline, 1)}"),
    ]
    if row.before is not None:
        marks.append(Mark("hollow", row.before.value, f"before {share(row.before.value, 1)}"))
    marks.append(Mark("dot", row.after.value, f"after {share(row.after.value, 1)}"))
    return tuple(marks)
