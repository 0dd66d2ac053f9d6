"""Why a step must run: what differs between its key now and its key when it was last built."""

import re
from typing import Any

from storage.artifact import Manifest

NUMBERS = {"identity.files": "file", "identity.packages": "package"}  # that a reader counted
DIGEST = re.compile("[0-9a-f]{32,64}")


def why(ingredients: dict[str, Any], last: Manifest | None) -> str:
    """What differs from the last build: `config.num_bands: 20 -> 24`."""
    if last is None:
        return "never built"
    new = _flatten(ingredients, "")
    old = _flatten(last.ingredients, "")
    changed = {key for key in new.keys() | old.keys() if new.get(key) != old.get(key)}
    if changed & NUMBERS.keys():
        changed -= {"identity.digest"}  # of course
    told = [
        _difference(key, old.get(key, "absent"), new.get(key, "absent")) for key in sorted(changed)
    ]
    return few(told) if told else "its manifest was withdrawn or collected"


def _difference(key: str, before: Any, after: Any) -> str:
    """What became of one ingredient; nobody compares digests by eye."""
    name = key.removeprefix("in.")
    if isinstance(after, dict) or isinstance(before, dict):
        return f"{name} changed"
    if key in NUMBERS and isinstance(before, int) and isinstance(after, int):
        return _more(before, after, NUMBERS[key])
    if not (_are_digests(before) or _are_digests(after)):
        return f"{name}: {before} -> {after}"
    name = key.removeprefix("identity").removeprefix(".").removesuffix("digest")
    where = f"{name}: " if name else ""
    if isinstance(before, list) and isinstance(after, list) and len(before) != len(after):
        return where + _more(len(before), len(after), "file")
    return f"{name}: other content" if name else "other files"


def _more(before: int, after: int, thing: str) -> str:
    number = abs(after - before)
    things = thing if number == 1 else f"{thing}s"
    return f"{number:,} {things} {'more' if after > before else 'fewer'} ({after:,})"


def _are_digests(value: Any) -> bool:
    """Whether a value is a digest, or a list of them."""
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(isinstance(v, str) and DIGEST.fullmatch(v) for v in values)


def few(names: list[str]) -> str:
    """The first three, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _flatten(value: Any, prefix: str) -> dict[str, Any]:
    """Nested dictionaries as one, keys joined by dots; an artifact stays whole."""
    if isinstance(value, dict) and "artifact" not in value:
        flat: dict[str, Any] = {}
        for key, item in value.items():
            flat |= _flatten(item, f"{prefix}.{key}" if prefix else key)
        return flat
    return {prefix: value}
