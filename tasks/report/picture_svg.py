"""The pipeline picture as SVG, coloured by the page's classes.

A ribbon is as high as its number of documents; what a step drops fades away. Where
the ribbons meet pretraining they are as high as their share of the training tokens instead, so a
source that the mixture prefers visibly grows.
"""

from markupsafe import Markup

from tasks.report.figures import MINUS, count, share
from tasks.report.picture import Card, Lane, Picture
from tasks.report.safe_text import one_line

WIDTH, HEADER = 860, 34
COLUMN_GAP = 138  # at most, where models follow
LAST_LABEL = 60  # room right of the last column where no models follow
DOCUMENTS_HEIGHT = 190  # pixels for the documents of all sources together
# Above a ribbon for its source's name and the counts, below it for what is dropped.
LABEL_ROOM, FALL_ROOM = 36, 20
BAR = 5
FADE = 52  # how far a dropped part of a ribbon is seen
CARD_WIDTH, CARD_HEIGHT = 208, 74


def draw(picture: Picture) -> Markup:
    """The picture as SVG, styled by the page's classes."""
    total = sum(lane.counts[0] for lane in picture.lanes) or 1
    scale = DOCUMENTS_HEIGHT / total
    tops, bottom = _lane_tops(picture.lanes, scale)
    gap = _column_gap(picture)
    parts = [_fades(picture.lanes)]
    parts += [
        _text(index * gap + (BAR / 2 if index else 0), 14, title, "head", _anchor(index))
        for index, title in enumerate(picture.columns)
    ]
    for lane, top in zip(picture.lanes, tops, strict=True):
        parts += _lane(lane, top, scale, gap)
    height = bottom
    if picture.has_mixture:
        parts += _mixed(picture, tops, scale, gap, bottom)
    if picture.base is not None:
        middle = HEADER + (bottom - HEADER) / 2
        parts += _card(picture.base, WIDTH - CARD_WIDTH, middle - CARD_HEIGHT / 2)
    if picture.chat is not None or picture.instructions is not None:
        height += CARD_HEIGHT + 22
        parts += _chat_part(picture, gap, bottom)
    body = Markup("").join(parts)
    return Markup(
        '<svg class="picture" viewBox="0 0 {} {}" role="img"><title>{}</title>{}</svg>'
    ).format(
        WIDTH, f"{height:.0f}", "Documents of each source through the pipeline to the models", body
    )


def _column_gap(picture: Picture) -> float:
    """Where no model follows, the columns and the mixture take the whole width."""
    columns = len(picture.columns) - 1 + picture.has_mixture
    if not columns:
        return COLUMN_GAP
    if picture.base is not None or picture.chat is not None:
        return min(COLUMN_GAP, (WIDTH - CARD_WIDTH - 18) / columns)
    return (WIDTH - LAST_LABEL) / columns


def _anchor(index: int) -> str:
    return "middle" if index else "start"


def _lane_tops(lanes: tuple[Lane, ...], scale: float) -> tuple[list[float], float]:
    tops, y = [], float(HEADER)
    for lane in lanes:
        tops.append(y + LABEL_ROOM)
        y += LABEL_ROOM + max(2.0, lane.counts[0] * scale) + FALL_ROOM
    return tops, y


def _lane(lane: Lane, top: float, scale: float, gap: float) -> list[Markup]:
    parts = []
    heights = [max(1.5, number * scale) for number in lane.counts]
    for index in range(len(heights) - 1):
        left, right = index * gap + BAR, (index + 1) * gap
        parts.append(_ribbon(lane.color, left, top, heights[index + 1], right, top))
        lost = lane.counts[index] - lane.counts[index + 1]
        if lost > 0:
            lower = max(heights[index], heights[index + 1] + 1.5)
            parts.append(_fall(lane.color, left, top, heights[index + 1], lower, lost))
    for index, (number, height) in enumerate(zip(lane.counts, heights, strict=True)):
        x = index * gap
        parts.append(_bar(lane.color, x, top, height))
        at = x + BAR / 2 if index else 0
        parts.append(_text(at, top - 7, count(number), "count", _anchor(index)))
    parts.append(_text(0, top - 22, one_line(lane.source, 40), "name"))
    return parts


def _ribbon(
    color: int, x0: float, y0: float, h0: float, x1: float, y1: float, h1: float | None = None
) -> Markup:
    h1 = h0 if h1 is None else h1
    middle = (x0 + x1) / 2
    path = (
        f"M{x0:.1f} {y0:.1f} C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {x1:.1f} {y1:.1f} "
        f"V{y1 + h1:.1f} C{middle:.1f} {y1 + h1:.1f} {middle:.1f} {y0 + h0:.1f} "
        f"{x0:.1f} {y0 + h0:.1f} Z"
    )
    return Markup('<path class="ribbon s{}" d="{}"/>').format(color, path)


def _fall(color: int, x: float, top: float, upper: float, lower: float, lost: int) -> Markup:
    """What is dropped between two columns: its part of the ribbon fades away."""
    y, height = top + upper, lower - upper
    label_y = max(y + height / 2 + 4, y + 13)  # below the ribbon of the kept ones in any case
    return Markup(
        '<rect class="fall s{0}" fill="url(#fade{0})" x="{1}" y="{2}" width="{3}" height="{4}"/>'
    ).format(color, x, f"{y:.1f}", FADE, f"{height:.1f}") + _text(
        x + FADE * 0.62, label_y, f"{MINUS}{count(lost)}", "lost"
    )


def _fades(lanes: tuple[Lane, ...]) -> Markup:
    fade = Markup(
        '<linearGradient id="fade{0}" class="s{0}"><stop class="from" offset="0"/>'
        '<stop class="to" offset="1"/></linearGradient>'
    )
    return Markup("<defs>{}</defs>").format(
        Markup("").join(fade.format(color) for color in sorted({lane.color for lane in lanes}))
    )


def _mixed(
    picture: Picture, tops: list[float], scale: float, gap: float, bottom: float
) -> list[Markup]:
    """From the last column to the bar of the mixture, in its proportions."""
    left = (len(picture.columns) - 1) * gap + BAR
    right = WIDTH - (CARD_WIDTH + 18 if picture.base is not None else LAST_LABEL)
    bar_height = min(170.0, bottom - HEADER - FALL_ROOM)
    y = HEADER + (bottom - HEADER - bar_height) / 2
    parts = [_text(right + BAR / 2, 14, "Mixture", "head", "middle")]
    for lane, top in zip(picture.lanes, tops, strict=True):
        if lane.weight is None:
            continue
        height = max(1.5, lane.weight * bar_height)
        from_height = max(1.5, lane.counts[-1] * scale)
        parts.append(_ribbon(lane.color, left, top, from_height, right, y, height))
        parts.append(_bar(lane.color, right, y, height))
        if height >= 14:  # lower than its text
            label = share(lane.weight, 1)
            parts.append(_text(right - 8, y + height / 2 + 4, label, "weight", "end"))
        y += height
    return parts


def _bar(color: int, x: float, y: float, height: float) -> Markup:
    return Markup('<rect class="fill s{}" x="{}" y="{}" width="{}" height="{}" rx="1"/>').format(
        color, f"{x:.1f}", f"{y:.1f}", BAR, f"{height:.1f}"
    )


def _chat_part(picture: Picture, gap: float, bottom: float) -> list[Markup]:
    parts: list[Markup] = []
    right, middle = WIDTH - CARD_WIDTH, HEADER + (bottom - HEADER) / 2
    source_x = (len(picture.columns) - 1) * gap + BAR / 2
    data_left = min(max(0.0, source_x - CARD_WIDTH / 2), right - CARD_WIDTH - 40)
    if picture.chat is not None:
        parts += _card(picture.chat, right, bottom + 8, "chat")
        if picture.base is not None:
            x = WIDTH - CARD_WIDTH / 2
            parts.append(_arrow(f"M{x} {middle + CARD_HEIGHT / 2 + 4:.1f} V{bottom:.1f}"))
            parts.append(_tip(x, bottom + 4, "down"))
    if picture.instructions is not None:
        parts += _card(picture.instructions, data_left, bottom + 8)
        y = bottom + 8 + CARD_HEIGHT / 2
        parts.append(_arrow(f"M{source_x} {bottom - FALL_ROOM + 6:.1f} V{bottom:.1f}"))
        parts.append(_tip(source_x, bottom + 4, "down"))
        if picture.chat is not None:
            parts.append(_arrow(f"M{data_left + CARD_WIDTH + 4:.1f} {y:.1f} H{right - 10}"))
            parts.append(_tip(right - 6, y, "right"))
    return parts


def _card(card: Card, x: float, y: float, kind: str = "") -> list[Markup]:
    box = Markup('<rect class="card {}" x="{}" y="{}" width="{}" height="{}" rx="9"/>').format(
        kind, f"{x:.1f}", f"{y:.1f}", CARD_WIDTH, CARD_HEIGHT
    )
    lines = [
        _text(x + 14, y + 45 + 17 * index, line, "line") for index, line in enumerate(card.lines)
    ]
    return [box, _text(x + 14, y + 25, card.title, "title"), *lines]


def _arrow(path: str) -> Markup:
    return Markup('<path class="arrow" d="{}"/>').format(path)


def _tip(x: float, y: float, towards: str) -> Markup:
    turn = {"right": 0, "down": 90}[towards]
    place = f"translate({x:.1f} {y:.1f}) rotate({turn})"
    return Markup('<path class="tip" d="M-7 -4 L0 0 L-7 4" transform="{}"/>').format(place)


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, f"{x:.1f}", f"{y:.1f}", anchor, text
    )
