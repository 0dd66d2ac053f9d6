"""A run's corpus and model beside those that are current, in a line each for the end of a run."""

from collections.abc import Mapping

from storage.artifact import Counts
from storage.explain import few


def corpus_standing(now: Counts, before: Counts | None, *, moved: bool, equal: bool) -> str:
    """What this corpus is, and what the one is that `current/corpus` pointed at before.

    >>> one = Counts(extra={"sources": {"a": {"documents": 3}, "b": {"documents": 2}}})
    >>> two = Counts(extra={"sources": {"a": {"documents": 4}}})
    >>> corpus_standing(two, one, moved=True, equal=False)
    'current/corpus  now this corpus: 4 documents of 1 source (before: 5 of 2; without b, a 3 -> 4)'
    """
    own = documents(now)
    size = f"{_things(sum(own.values()), 'document')} of {_things(len(own), 'source')}"
    if equal:
        return f"current/corpus  is this corpus already: {size}"
    if before is None:
        return f"current/corpus  now this corpus: {size}" if moved else f"this corpus     {size}"
    theirs = documents(before)
    other = f"{sum(theirs.values()):,} of {len(theirs)}; {_difference(theirs, own)}"
    if moved:
        return f"current/corpus  now this corpus: {size} (before: {other})"
    return f"this corpus     {size} (current/corpus: {other})"


def chat_standing(now: float, before: float | None, *, moved: bool, equal: bool) -> str:
    """The accuracy of this model, and of the one that `current/chat` pointed at before."""
    if equal:
        return f"current/chat    is this model already: accuracy {now:.3f}"
    if moved:
        other = f" (before: {before:.3f})" if before is not None else ""
        return f"current/chat    now this model: accuracy {now:.3f}{other}"
    other = f" (current/chat: {before:.3f})" if before is not None else ""
    return f"this model      accuracy {now:.3f}{other}"


def documents(corpus: Counts) -> dict[str, int]:
    """The documents of each source that has any."""
    sources = corpus.extra.get("sources", {})
    return {name: row["documents"] for name, row in sources.items() if row["documents"]}


def _difference(before: Mapping[str, int], now: Mapping[str, int]) -> str:
    """Sources that went, came and changed; the same numbers are still other texts."""
    lost = [name for name in before if name not in now]
    found = [f"new {name}" for name in now if name not in before]
    changed = [
        f"{name} {before[name]:,} -> {now[name]:,}"
        for name in now
        if before.get(name, now[name]) != now[name]
    ]
    parts = [f"without {few(lost)}"] if lost else []
    if found or changed:
        parts.append(few([*found, *changed]))
    return ", ".join(parts) or "as many, with other texts"


def _things(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
