"""Turns counts into funnels: what each step read, kept, edited and dropped, source by source."""

from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from tasks.report.contents import LanguageShares, SourceFunnel, StepCounts

# In the order of the pipeline; a source has `fetch` and `extract`, or `read`.
DOCUMENT_STEPS = (
    *("fetch", "extract", "read"),
    *("decide", "edit", "dedup", "substring", "decontaminate"),
)
# Under which a step carries along what never reached it: the stage that dropped it.
DROPPED_BEFORE = frozenset({"quality", "dedup", "substring"})
UNKNOWN_LANGUAGE, OTHER_LANGUAGES = "unknown", "other"


def by_number(numbers: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Names with their numbers, the largest first, equal ones by name; zeros left out.

    >>> by_number({"short": 2, "empty": 5, "long": 2, "none": 0})
    (('empty', 5), ('long', 2), ('short', 2))
    """
    found = [(name, number) for name, number in numbers.items() if number]
    return tuple(sorted(found, key=lambda item: (-item[1], item[0])))


def count_values(column: pa.ChunkedArray) -> dict[str, int]:
    """How often each text occurs in a column."""
    return {row["values"]: row["counts"] for row in pc.value_counts(column).to_pylist()}


def add_up(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sum of several counts, name by name."""
    total: dict[str, int] = {}
    for each in counts:
        for name, number in each.items():
            total[name] = total.get(name, 0) + number
    return total


def decided(step: str, source: str, reasons: Mapping[str, int], edited: int = 0) -> StepCounts:
    """The funnel of a decision column: "" counts what is kept.

    What was dropped before is not counted again.
    """
    dropped = {n: count for n, count in reasons.items() if n and n not in DROPPED_BEFORE}
    kept = reasons.get("", 0)
    read = kept + sum(dropped.values())
    return StepCounts(step, source, read, kept, by_number(dropped), edited)


def order_funnels(steps: list[StepCounts]) -> tuple[SourceFunnel, ...]:
    """One funnel per source, in the order in which the sources first appear."""
    by_source: dict[str, list[StepCounts]] = {}
    for step in steps:
        by_source.setdefault(step.source, []).append(step)
    return tuple(
        SourceFunnel(source, tuple(sorted(found, key=lambda s: DOCUMENT_STEPS.index(s.step))))
        for source, found in by_source.items()
    )


def number_languages(rows: Iterable[LanguageShares], most: int) -> dict[str, int]:
    """A number from 1 for each of the `most` frequent languages of all sources together.

    >>> number_languages([LanguageShares("a", 9, (("de", 5), ("other", 4)))], 8)
    {'de': 1}
    """
    total = add_up(dict(row.languages) for row in rows)
    named = [
        name for name, _ in by_number(total) if name not in (OTHER_LANGUAGES, UNKNOWN_LANGUAGE)
    ]
    return {name: number for number, name in enumerate(named[:most], 1)}


def language_shares(source: str, languages: Mapping[str, int], most: int) -> LanguageShares:
    """The most frequent languages of a source; the others as one."""
    named = {name or UNKNOWN_LANGUAGE: number for name, number in languages.items()}
    ordered = by_number(named)
    shown, rest = ordered[:most], sum(number for _, number in ordered[most:])
    other = ((OTHER_LANGUAGES, rest),) if rest else ()
    return LanguageShares(source, sum(named.values()), shown + other)
