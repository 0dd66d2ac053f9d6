"""The results in plain text, for the end of a run in a terminal."""

from collections.abc import Sequence

from tasks.report import headline
from tasks.report.contents import Accuracy, BitsPerByte, Contents, Measured
from tasks.report.dots import AccuracyRow, accuracy_rows
from tasks.report.figures import NOTHING, decimal, share

NAME_WIDTH = 34
FIGURE_WIDTH = 10


def write_results(contents: Contents) -> str:
    """One sentence on what was built, the scores in tables, and a mark for each verdict."""
    parts = [
        headline.trial(contents),
        headline.lede(contents),
        _bits(contents.bits_per_byte),
        _accuracy(contents.accuracy),
        "\n".join(
            f"{'✓' if verdict.good else '✗'} {verdict.text}"
            for verdict in headline.verdicts(contents)
        ),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _line(name: str, figures: Sequence[str]) -> str:
    return f"{name:<{NAME_WIDTH}}" + "".join(f"{figure:>{FIGURE_WIDTH}}" for figure in figures)


def _bits(rows: Sequence[BitsPerByte]) -> str:
    if not rows:
        return ""
    lines = [_line("held-out bits per byte", ("model", "bigrams"))]
    lines += [_line(f"  {row.source}", (decimal(row.model), decimal(row.baseline))) for row in rows]
    return "\n".join(lines)


def _accuracy(accuracy: Accuracy | None) -> str:
    if accuracy is None:
        return ""
    lines = [_line("accuracy on held-out tasks", ("before", "after", "baseline", "above by"))]
    lines += [_accuracy_line(row) for row in accuracy_rows(accuracy)]
    return "\n".join(lines)


def _accuracy_line(row: AccuracyRow) -> str:
    name = "control (shuffled passages)" if row.kind == "control" else row.score.family
    figures = (_percent(row.score.before), _percent(row.score.after))
    return _line(f"  {name}", (*figures, share(row.score.baseline, 1), row.margin))


def _percent(measured: Measured | None) -> str:
    return share(measured.value, 1) if measured else NOTHING
