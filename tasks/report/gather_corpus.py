"""Gathers what the report says about documents: funnels, examples, languages, duplicates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyarrow.compute as pc

from pipeline_config.report import ReportConfig
from storage.tables import read_table
from tasks.report.contents import (
    DocumentExample,
    DuplicateGroup,
    Duplicates,
    LanguageShares,
    ReasonExamples,
    SourceFunnel,
    StepCounts,
)
from tasks.report.duplicates import COLUMNS, describe
from tasks.report.examples import Chosen, Place, choose, locate
from tasks.report.figures import bounds, measured
from tasks.report.funnel import (
    DROPPED_BEFORE,
    add_up,
    by_number,
    count_values,
    decided,
    language_shares,
    order_funnels,
)
from tasks.report.gather_captures import asked_for, capture_facts
from tasks.report.gather_edits import COLUMNS as COLUMNS_OF_EDITS
from tasks.report.gather_edits import EDITING_STEPS, count_edits, edited_texts
from tasks.report.inputs import Inputs, Tables, step_counts

DECIDING_STEPS = ("decide", "edit", "dedup", "substring", "decontaminate")
DECIDED_COLUMNS = ["id", "reason", "similarity"]
SHOWN_COLUMNS = ["url", "text"]
HIDDEN = "pii"  # the reason of documents with too much that is personal


def funnels(inputs: Inputs) -> tuple[SourceFunnel, ...]:
    """Every source's way from its first step to the last one there is."""
    steps = [
        step_counts(step, source, inputs.counts(ref))
        for step in ("fetch", "extract", "read", "decide", "edit", "decontaminate")
        for source, ref in inputs.sources(step).items()
    ]
    for step in ("dedup", "substring"):
        if inputs.get(step) is not None:
            steps += [_decided_counts(inputs, step, source) for source in inputs.documents()]
    steps = [_with_facts(inputs, _with_edits(inputs, one)) for one in steps]
    return order_funnels(sorted(steps, key=lambda step: step.source))


def _decided_counts(inputs: Inputs, step: str, source: str) -> StepCounts:
    """The funnel of one source in a step that decides on all sources at once."""
    tables = inputs.decisions(step, source, ["reason", "kept", "edits"])
    assert tables is not None
    reasons: list[dict[str, int]] = []
    edited = 0
    for table in tables:
        reasons.append(count_values(table.column("reason")))
        if "edits" in table.column_names:
            changes = pc.greater(pc.list_value_length(table.column("edits")), 0)
            edited += pc.sum(pc.and_(changes, table.column("kept"))).as_py() or 0
    return decided(step, source, add_up(reasons), edited)


def _with_edits(inputs: Inputs, counts: StepCounts) -> StepCounts:
    if not counts.edited or counts.step not in EDITING_STEPS:
        return counts
    tables = inputs.decisions(counts.step, counts.source, COLUMNS_OF_EDITS)
    return counts if tables is None else replace(counts, edits=by_number(count_edits(tables)))


def _with_facts(inputs: Inputs, counts: StepCounts) -> StepCounts:
    ref = inputs.get("fetch", counts.source) if counts.step == "fetch" else None
    if ref is None:
        return counts
    manifest = inputs.manifest(ref)
    return replace(
        counts,
        unit=asked_for(manifest.ingredients),
        facts=capture_facts(manifest.counts.extra),
    )


def examples(inputs: Inputs, config: ReportConfig) -> tuple[ReasonExamples, ...]:
    """A few documents per source and reason, then a few that every step kept."""
    if not config.examples_per_reason:
        return ()
    found: list[ReasonExamples] = []
    for source in inputs.documents():
        groups: list[ReasonExamples] = []
        for step in DECIDING_STEPS:
            decisions = inputs.decisions(step, source, DECIDED_COLUMNS)
            if decisions is not None:
                found += [group for group in groups if group.reason]
                groups = _groups(inputs, step, source, decisions, config)
        found += sorted(groups, key=lambda group: group.reason == "")  # the kept ones come last
    return tuple(found)


def _groups(
    inputs: Inputs,
    step: str,
    source: str,
    tables: Tables,
    config: ReportConfig,
) -> list[ReasonExamples]:
    """The examples of one step's decisions on one source, by the frequency of the reason."""
    numbers = add_up(count_values(table.column("reason")) for table in tables)
    numbers = {name: number for name, number in numbers.items() if name not in DROPPED_BEFORE}
    chosen = choose(tables, config.examples_per_reason)
    shown = [one for reason in numbers for one in chosen[reason]]
    documents = inputs.documents()[source]
    rows = inputs.tables(documents, SHOWN_COLUMNS).rows([one.place for one in shown])
    texts = {
        reason: _texts(
            inputs, step, source, reason, {one.place: rows[one.place] for one in chosen[reason]}
        )
        for reason in numbers
    }
    notes = _signals(inputs, source, [one.place for one in shown]) if step == "decide" else None
    return [
        ReasonExamples(
            step if reason else "",
            source,
            reason,
            number,
            tuple(
                DocumentExample(
                    one.id,
                    str(rows[one.place]["url"]),
                    texts[reason][one.place],
                    _note(one, reason, notes),
                )
                for one in chosen[reason]
            ),
        )
        for reason, number in by_number(numbers)
    ]


def _texts(
    inputs: Inputs, step: str, source: str, reason: str, rows: Mapping[Place, Mapping[str, object]]
) -> dict[Place, str]:
    """Texts as the step found them, or as it left them where it kept them."""
    texts = {place: str(row["text"]) for place, row in rows.items()}
    if reason == HIDDEN:
        return dict.fromkeys(texts, "")
    number = DECIDING_STEPS.index(step) + (not reason)
    steps = [one for one in DECIDING_STEPS[:number] if one in EDITING_STEPS]
    return edited_texts(inputs, source, texts, steps)


@dataclass(frozen=True)
class _Signals:
    """What a source's rules look at, and some documents' values of it."""

    limits: Mapping[str, Mapping[str, object]]  # by reason: signal, from, to
    values: Mapping[Place, Mapping[str, object]]


def _signals(inputs: Inputs, source: str, places: list[Place]) -> _Signals | None:
    """The rules of a source, and all signals of some documents, those of classifiers included."""
    ref, scores = inputs.get("decide", source), inputs.get("score", source)
    if ref is None or scores is None:
        return None
    values: dict[Place, dict[str, object]] = {
        place: dict(row) for place, row in inputs.tables(scores).rows(places).items()
    }
    for name in inputs.sources("train-classifier"):
        scored = inputs.get("classify", f"{name}/{source}")
        rows = inputs.tables(scored, ["score"]).rows(places) if scored is not None else {}
        for place, row in rows.items():
            values[place][f"classifier_{name}"] = row["score"]
    return _Signals(inputs.counts(ref).extra["limits"], values)


def _note(chosen: Chosen, reason: str, signals: _Signals | None) -> str:
    """The figure behind a decision: a similarity, or the signal that the rule looked at."""
    if chosen.similarity:
        return f"similarity {chosen.similarity:.2f}"
    if signals is None or reason not in signals.limits:
        return ""
    limit = signals.limits[reason]
    value = signals.values.get(chosen.place, {}).get(str(limit["signal"]))
    if value is None:
        return ""
    within = bounds(limit["from"], limit["to"])
    return f"{limit['signal']} {measured(value)}" + (f", {within}" if within else "")


def languages(inputs: Inputs, config: ReportConfig) -> tuple[LanguageShares, ...]:
    """The languages that the scores found, per source."""
    shares = []
    for source, ref in inputs.sources("score").items():
        tables = inputs.tables(ref, ["language"])
        numbers = add_up(count_values(table.column("language")) for table in tables)
        shares.append(language_shares(source, numbers, config.languages))
    return tuple(shares)


def duplicates(inputs: Inputs, config: ReportConfig) -> Duplicates | None:
    """Who was dropped for whom, and texts: of a kept document and of the least similar to it."""
    ref = inputs.get("dedup")
    if ref is None:
        return None
    table = read_table(inputs.path(ref, "clusters.parquet"), COLUMNS)
    found = describe(table, config.duplicate_groups, config.group_members)
    shown = [member for group in found.largest for member in (group.members[0], group.members[-1])]
    texts: dict[str, str] = {}
    for source, documents in inputs.documents().items():
        ids = [member.id for member in shown if member.source == source]
        if ids:
            places = locate(inputs.tables(documents, ["id"]), ids)
            rows = inputs.tables(documents, ["text"]).rows(list(places.values()))
            found_texts = {place: str(row["text"]) for place, row in rows.items()}
            found_texts = edited_texts(inputs, source, found_texts, ["edit"])
            texts |= {name: found_texts[place] for name, place in places.items()}
    figures = inputs.counts(ref).extra
    curve = figures.get("found_at_similarity", {})
    return replace(
        found,
        largest=tuple(_with_texts(group, texts) for group in found.largest),
        found_at=tuple(sorted((float(at), probability) for at, probability in curve.items())),
        pairs_compared=figures.get("pairs_compared", 0),
        pairs_verified=figures.get("pairs_verified", 0),
        times_bucket_full=figures.get("times_bucket_full", 0),
    )


def _with_texts(group: DuplicateGroup, texts: Mapping[str, str]) -> DuplicateGroup:
    members = tuple(replace(each, text=texts.get(each.id, "")) for each in group.members)
    return replace(group, members=members)
