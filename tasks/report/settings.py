"""The settings that the artifacts were made with, as lines of key and value.

A step's are in its manifest, where they are part of its key: so they are those of what is there,
not of the configuration at hand. Steps of one name that were set alike are told once.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from storage.artifact import Manifest
from tasks.report.contents import StepSettings

NO_SETTINGS = frozenset({"source", "label"})  # last part of a key: whose, not how


def trial_limit(manifests: Iterable[tuple[str, Manifest]]) -> int:
    """The documents per source that a trial was limited to; 0 where nothing was."""
    limits = [
        manifest.ingredients["in"].get("job", {}).get("limit", 0)
        for _, manifest in manifests
        if manifest.step in ("extract", "read")
    ]
    return max(limits, default=0)


def step_settings(manifests: Iterable[tuple[str, Manifest]]) -> tuple[StepSettings, ...]:
    """The settings of every step that has some, with the labels of what it made with them."""
    labels: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
    for label, manifest in manifests:
        found = tuple(
            (key, value)
            for key, value in flat(manifest.ingredients["in"])
            if key.rpartition(".")[2] not in NO_SETTINGS
        )
        if found:
            labels.setdefault((manifest.step, found), []).append(label)
    return tuple(StepSettings(step, tuple(made), values) for (step, values), made in labels.items())


def flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys with their values as JSON; artifacts are left out, they have their own settings.

    >>> list(flat({"rules": {"limits": {"words": 20}, "names": ["a"]}, "of": {"artifact": "x"}}))
    [('rules.limits.words', '20'), ('rules.names', '["a"]')]
    """
    if isinstance(value, Mapping):
        if value.keys() == {"artifact"}:
            return
        for key, inner in value.items():
            yield from flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        for number, inner in enumerate(value):
            yield from flat(inner, f"{name}.{number}")
    else:
        yield name, json.dumps(value, ensure_ascii=False)
