"""The run's summary in Markdown, for the dashboard: figures, picture, funnel, curve, samples.

The dashboard renders tables, Mermaid, `<details>` and `data:` images, and takes about 100 kB. What
was crawled or written by a model is either escaped character by character or in a code block.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tasks.report import headline
from tasks.report.charts import loss_chart, standalone
from tasks.report.contents import Accuracy, Answered, Contents, StepCounts, Training
from tasks.report.dots import accuracy_rows
from tasks.report.examples import spread
from tasks.report.figures import NOTHING, count, decimal, share, things
from tasks.report.picture import mermaid, picture_of
from tasks.report.safe_text import escape_markdown, excerpt, fenced

MAX_BYTES = 100_000
CHART_POINTS = 120  # two curves of 120 points are 20 kB of base64
CHART_SIZE = (720, 260)  # pixels
SAMPLE_CHARACTERS = 400
MOST_SAMPLES = 6


def write_summary(contents: Contents) -> str:
    """The whole summary, at most `MAX_BYTES` long: sections that no longer fit are left out."""
    parts = [
        f"# {escape_markdown(contents.title)}",
        headline.trial(contents),
        headline.lede(contents),
        _verdicts(contents),
        _figures(contents),
        _picture(contents),
        _accuracy(contents.accuracy),
        _bits(contents),
        _funnel(contents),
        _curve("Pretraining", contents.pretrain),
        _curve("Fine-tuning", contents.sft),
        _mixture(contents),
        _samples(contents.samples),
    ]
    kept: list[str] = []
    size = 0
    for part in filter(None, parts):
        size += len(part.encode()) + 2
        if size <= MAX_BYTES:
            kept.append(part)
    return "\n\n".join(kept) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A Markdown table of cells that are escaped already; the first `left` columns are text."""
    lines = ["| " + " | ".join(head) + " |"]
    lines.append("|" + "|".join(":--" if i < left else "--:" for i in range(len(head))) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def _verdicts(contents: Contents) -> str:
    return "\n".join(
        f"- {'✅' if verdict.good else '❌'} {verdict.text}"
        for verdict in headline.verdicts(contents)
    )


def _figures(contents: Contents) -> str:
    rows = [(tile.caption, f"**{tile.figure}**", tile.detail) for tile in headline.tiles(contents)]
    return _table(("", "", ""), rows) if rows else ""


def _picture(contents: Contents) -> str:
    if not contents.funnels:
        return ""
    return f"```mermaid\n{mermaid(picture_of(contents))}\n```"


def _accuracy(accuracy: Accuracy | None) -> str:
    if accuracy is None:
        return ""
    rows = [
        (
            escape_markdown(row.score.family),
            share(row.score.before.value, 1) if row.score.before else NOTHING,
            f"**{share(row.score.after.value, 1)}** ± {decimal(100 * row.score.after.error, 1)}",
            share(row.score.baseline, 1),
            row.margin,
        )
        for row in accuracy_rows(accuracy)
    ]
    head = ("Family", "Before", "After ± s.e.", "Baseline", "Above by")
    return "## Accuracy on held-out tasks\n\n" + _table(head, rows)


def _bits(contents: Contents) -> str:
    if not contents.bits_per_byte:
        return ""
    rows = [
        (escape_markdown(row.source), f"**{decimal(row.model)}**", decimal(row.baseline))
        for row in contents.bits_per_byte
    ]
    return "## Held-out bits per byte\n\n" + _table(("Source", "Model", "Bigrams"), rows)


def _funnel(contents: Contents) -> str:
    steps = [step for funnel in contents.funnels for step in funnel.steps]
    if contents.instructions is not None:
        steps += contents.instructions.steps
    if not steps:
        return ""
    head = ("Step", "Read", "Dropped", "Kept", "Reasons")
    rows = [_funnel_row(step) for step in steps]
    return _folded("Funnel: read, dropped, kept", _table(head, rows))


def _funnel_row(step: StepCounts) -> tuple[str, ...]:
    reasons = ", ".join(f"{escape_markdown(name)} {count(n)}" for name, n in step.dropped[:6])
    more = f" and {len(step.dropped) - 6} more" if len(step.dropped) > 6 else ""
    name = f"{step.step}/{step.source}" if step.source else step.step
    read = count(step.read) if step.unit == "document" else things(step.read, step.unit)
    return (
        escape_markdown(name),
        read,
        count(step.num_dropped),
        count(step.kept),
        reasons + more,
    )


def _curve(name: str, training: Training | None) -> str:
    if training is None:
        return ""
    points = [training.curve[index] for index in spread(len(training.curve), CHART_POINTS)]
    chart = loss_chart(replace(training, curve=tuple(points)), *CHART_SIZE, name)
    image = f'<img src="{standalone(chart, *CHART_SIZE)}" width="{CHART_SIZE[0]}" alt="{name}">'
    losses = [point.loss for point in points]
    text = f"Loss {decimal(losses[0], 2)} → {decimal(losses[-1], 2)} nats per token"
    return _folded(f"{name}: {text.lower()}, {count(training.steps)} steps", image)


def _mixture(contents: Contents) -> str:
    if not contents.mixture:
        return ""
    rows = [
        (
            escape_markdown(row.source),
            share(row.natural, 1),
            share(row.weight, 1),
            decimal(row.epochs, 2),
        )
        for row in contents.mixture
    ]
    return _folded("Mixture", _table(("Source", "By size", "In training", "Epochs"), rows))


def _samples(samples: Sequence[Answered]) -> str:
    if not samples:
        return ""
    blocks = []
    for sample in samples[:MOST_SAMPLES]:
        verdict = f" ({sample.verdict})" if sample.verdict else ""
        blocks.append(f"**{escape_markdown(sample.family or 'free prompt')}**{verdict}")
        blocks.append(fenced(excerpt(sample.prompt, SAMPLE_CHARACTERS)))
        if sample.before is not None:
            blocks += ["before", fenced(excerpt(sample.before, SAMPLE_CHARACTERS))]
        blocks += ["after", fenced(excerpt(sample.after, SAMPLE_CHARACTERS))]
    return _folded("Samples, not selected", "\n\n".join(blocks))
