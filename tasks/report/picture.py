"""The pipeline as a picture: one ribbon of documents per source, then the models they become.

Contents -> Picture -> `picture_svg.draw` (for the page) or `mermaid` (text for Markdown)
"""

from dataclasses import dataclass

from tasks.report.contents import Contents, SourceFunnel
from tasks.report.figures import count, share, short
from tasks.report.safe_text import mermaid_label, one_line

MOST_LANES = 8  # more sources than that become one lane
COLUMN_TITLES = {
    "in": "Found",
    "text": "Text",
    "decide": "Quality",
    "edit": "Edited",
    "dedup": "Unique",
    "substring": "Repeats cut",
    "decontaminate": "Uncontaminated",
}
EDITING = ("edit", "substring")  # seldom drop a document: no column where they drop none
COLORS = 8  # classes s1 … s8 of the style sheet


@dataclass(frozen=True, slots=True)
class Lane:
    """One source: documents after each column, and its share of the training tokens."""

    source: str
    color: int  # 1 …
    counts: tuple[int, ...]
    weight: float | None


@dataclass(frozen=True, slots=True)
class Card:
    """A model or data set in the picture."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the picture shows."""

    columns: tuple[str, ...]  # titles
    lanes: tuple[Lane, ...]
    base: Card | None
    instructions: Card | None
    chat: Card | None

    @property
    def has_mixture(self) -> bool:
        """Whether the sources' shares of the training tokens are known."""
        return any(lane.weight is not None for lane in self.lanes)


def picture_of(contents: Contents) -> Picture:
    """The picture of a report's contents."""
    columns = _columns(contents.funnels)
    weights = {row.source: row.weight for row in contents.mixture}
    lanes = [
        Lane(
            funnel.source,
            color_of(index),
            _counts(funnel, columns),
            weights.get(funnel.source),
        )
        for index, funnel in enumerate(contents.funnels)
    ]
    return Picture(
        tuple(COLUMN_TITLES[column] for column in columns),
        _folded(lanes),
        _base_card(contents),
        _instructions_card(contents),
        _chat_card(contents),
    )


def color_of(index: int) -> int:
    """The colour class of the n-th source, from 1."""
    return index % COLORS + 1


def _counts(funnel: SourceFunnel, columns: list[str]) -> tuple[int, ...]:
    """Documents after each column; a step that this source lacks changes nothing."""
    kept = {"in": funnel.documents_in}
    for step in funnel.of_documents:
        kept["text" if step.step in ("extract", "read") else step.step] = step.kept
    counts: list[int] = []
    for column in columns:
        counts.append(kept.get(column, counts[-1] if counts else 0))
    return tuple(counts)


def _columns(funnels: tuple[SourceFunnel, ...]) -> list[str]:
    steps = [step for funnel in funnels for step in funnel.of_documents]
    there = {step.step for step in steps if step.num_dropped or step.step not in EDITING}
    if there & {"extract", "read"}:
        there.add("text")
    return [column for column in COLUMN_TITLES if column == "in" or column in there]


def _folded(lanes: list[Lane]) -> tuple[Lane, ...]:
    if len(lanes) <= MOST_LANES:
        return tuple(lanes)
    by_size = sorted(lanes, key=lambda lane: (-lane.counts[0], lane.source))
    shown = {lane.source for lane in by_size[: MOST_LANES - 1]}
    rest = [lane for lane in lanes if lane.source not in shown]
    weights = [lane.weight for lane in rest if lane.weight is not None]
    summed = Lane(
        f"{len(rest)} more sources",
        MOST_LANES,
        tuple(sum(column) for column in zip(*(lane.counts for lane in rest), strict=True)),
        sum(weights) if weights else None,
    )
    return (*(lane for lane in lanes if lane.source in shown), summed)


def _base_card(contents: Contents) -> Card | None:
    training = contents.pretrain
    if training is None:
        return None
    lines = (
        f"{short(training.parameters)} parameters",
        f"{short(training.tokens)} tokens, {count(training.steps)} steps",
    )
    return Card("Base model", lines)


def _instructions_card(contents: Contents) -> Card | None:
    made = contents.instructions
    if made is None:
        return None
    conversations = dict(made.splits)
    lines = (
        f"{count(conversations.get('train', 0))} conversations to train on",
        f"{count(conversations.get('heldout', 0))} held out",
    )
    return Card("Instructions", lines)


def _chat_card(contents: Contents) -> Card | None:
    if contents.sft is None:
        return None
    lines = [f"{count(contents.sft.steps)} steps of fine-tuning"]
    if contents.accuracy is not None:
        after = contents.accuracy.overall.after
        lines.append(f"accuracy {share(after.value, 1)} on held-out tasks")
    return Card("Chat model", tuple(lines))


def mermaid(picture: Picture) -> str:
    """The same picture as a Mermaid flow chart."""
    lines = ["flowchart LR"]
    end = "base" if picture.base else ""
    for index, lane in enumerate(picture.lanes):
        nodes = [
            f's{index}_{column}["{mermaid_label(_node(lane, column, title))}"]'
            for column, title in enumerate(picture.columns)
        ]
        lines.append("  " + " --> ".join(nodes))
        if end and lane.weight is not None:
            last = f"s{index}_{len(picture.columns) - 1}"
            lines.append(f'  {last} -->|"{mermaid_label(share(lane.weight, 1))}"| base')
    for name, card in _cards(picture):
        text = "<br/>".join(mermaid_label(line) for line in (card.title, *card.lines))
        lines.append(f'  {name}["{text}"]')
    if picture.chat and picture.base:
        lines.append("  base --> chat")
    if picture.chat and picture.instructions:
        lines.append("  instructions --> chat")
    return "\n".join(lines)


def _node(lane: Lane, column: int, title: str) -> str:
    number = count(lane.counts[column])
    return f"{one_line(lane.source, 40)} · {number}" if column == 0 else f"{title.lower()} {number}"


def _cards(picture: Picture) -> list[tuple[str, Card]]:
    cards = (("base", picture.base), ("instructions", picture.instructions), ("chat", picture.chat))
    return [(name, card) for name, card in cards if card is not None]
