"""Training curves as SVG, styled by classes: the page's style sheet gives them light and dark.

`standalone` puts a style sheet and fixed colours inside, for places that take an image only.
"""

import math
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from tasks.report.contents import CurvePoint, Training
from tasks.report.figures import MINUS, count, decimal, short

CHART_STYLE = Path(__file__).with_name("templates") / "chart.css"
LEFT, RIGHT, TOP, BOTTOM = 40, 58, 10, 34  # margins of the plot in pixels
LR_HEIGHT, LR_GAP = 34, 24  # the learning-rate strip below the loss


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from `low` to `high`, at most `most`, 1, 2 or 5 times a power of ten apart.

    >>> ticks(0, 404, 5)
    [0.0, 100.0, 200.0, 300.0, 400.0]
    """
    if high <= low:
        return [low]
    rough = (high - low) / most
    magnitude = 10.0 ** math.floor(math.log10(rough))
    # 1e-9 forgives a rounding error in the division, which would cost one tick.
    apart = next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= rough * (1 - 1e-9))
    first = math.ceil(low / apart - 1e-9)
    last = math.floor(high / apart + 1e-9)
    return [round(index * apart, 10) for index in range(first, last + 1)]


def smooth(values: Sequence[float]) -> list[float]:
    """The mean over a window centred on each value, which spans 1/20 of the curve.

    A running average would lag behind a falling loss. At the steep start the window is as narrow on
    the right as it must be on the left; at the flat end it looks back only.

    >>> smooth([4.0, 1.0, 1.0])
    [4.0, 2.0, 1.0]
    """
    half = max(1, len(values) // 40)
    means = []
    for index in range(len(values)):
        reach = min(half, index)
        window = values[index - reach : index + reach + 1]
        means.append(sum(window) / len(window))
    return means


class _Scale:
    """Maps values to pixels, linearly."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.start = low, start
        self.factor = (end - start) / (high - low) if high > low else 0.0

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) * self.factor


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "label") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, f"{x:.1f}", f"{y:.1f}", anchor, text
    )


def loss_chart(training: Training, width: int, height: int, name: str) -> Markup:
    """The loss of every drawn point, their moving average, and the learning rate below."""
    curve = training.curve
    plot_bottom = height - BOTTOM - LR_HEIGHT - LR_GAP
    losses = [point.loss for point in curve]
    low, high = min(losses), max(losses)
    pad = 0.05 * (high - low) or 0.5
    across = _Scale(curve[0].step, curve[-1].step, LEFT, width - RIGHT)
    down = _Scale(low - pad, high + pad, plot_bottom, TOP)
    xs = [across(point.step) for point in curve]
    averages = smooth(losses)
    parts = [
        _grid(across, down, ticks(low - pad, high + pad, 5), width),
        *_steps_axis(curve, across, width, height),
        Markup('<path class="raw" d="{}"/>').format(
            _path([(x, down(loss)) for x, loss in zip(xs, losses, strict=True)])
        ),
        Markup('<path class="line" d="{}"/>').format(
            _path([(x, down(loss)) for x, loss in zip(xs, averages, strict=True)])
        ),
        Markup('<circle class="end" cx="{}" cy="{}" r="3.5"/>').format(
            f"{xs[-1]:.1f}", f"{down(averages[-1]):.1f}"
        ),
        _text(xs[-1] + 8, down(averages[-1]) + 4, decimal(averages[-1], 2), kind="value"),
        _lr_strip(curve, xs, height),
    ]
    title = f"{name}: loss from {decimal(averages[0], 2)} to {decimal(averages[-1], 2)}"
    return Markup(
        '<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img">'
        "<title>{}</title>{}</svg>"
    ).format(width, height, title, Markup("").join(parts))


def _grid(across: _Scale, down: _Scale, levels: Sequence[float], width: int) -> Markup:
    digits = 1 if len(levels) < 2 or levels[1] - levels[0] >= 0.1 else 2
    lines = [
        Markup('<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(
            LEFT, width - RIGHT, y=f"{down(level):.1f}"
        )
        + _text(LEFT - 8, down(level) + 4, decimal(level, digits), "end")
        for level in levels
    ]
    return Markup("").join(lines)


def _steps_axis(
    curve: Sequence[CurvePoint], across: _Scale, width: int, height: int
) -> list[Markup]:
    marks = ticks(curve[0].step, curve[-1].step, max(2, width // 130))
    labels = [_text(across(mark), height - 16, count(mark), "middle") for mark in marks]
    tokens = short(curve[-1].tokens)
    return [*labels, _text(width - RIGHT, height - 2, f"steps · {tokens} tokens", "end", "axis")]


def _lr_strip(curve: Sequence[CurvePoint], xs: Sequence[float], height: int) -> Markup:
    bottom = height - BOTTOM
    highest = max(point.lr for point in curve) or 1.0
    down = _Scale(0, highest, bottom, bottom - LR_HEIGHT)
    line = [(x, down(point.lr)) for x, point in zip(xs, curve, strict=True)]
    area = [(xs[0], bottom), *line, (xs[-1], bottom)]
    return (
        Markup('<path class="area" d="{} Z"/><path class="thin" d="{}"/>').format(
            _path(area), _path(line)
        )
        + _text(LEFT - 8, bottom, "0", "end")
        + _text(LEFT - 8, bottom - LR_HEIGHT + 8, "lr", "end")
        + _text(xs[-1] + 8, bottom - LR_HEIGHT + 8, f"{highest:.0e}".replace("e-0", f"e{MINUS}"))
    )


def standalone(svg: Markup, width: int, height: int) -> str:
    """The chart as a `data:` URL with its own style, on white: for Markdown."""
    style = CHART_STYLE.read_text(encoding="utf-8")
    inside = (
        "<style>svg{--ink:#1d2129;--muted:#646b76;--line:#e4e1da;--accent:#0b6e6e}"
        f"{style}</style><rect width='{width}' height='{height}' fill='#fff'/>"
    )
    opening, rest = str(svg).split(">", 1)
    image = f'{opening} width="{width}" height="{height}">{inside}{rest}'
    return "data:image/svg+xml;base64," + b64encode(image.encode()).decode()
