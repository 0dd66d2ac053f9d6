"""Why a step must run: what differs between its key now and its key when it was last built."""

from typing import Any

from storage.artifact import Manifest


def why(ingredients: dict[str, Any], last: Manifest | None) -> str:
    """What differs from the last build: `config.num_bands: 20 -> 24`."""
    if last is None:
        return "never built"
    new = _flatten(ingredients, "")
    old = _flatten(last.ingredients, "")
    changed = []
    for key in sorted(new.keys() | old.keys()):
        before, after = old.get(key, "absent"), new.get(key, "absent")
        if before == after:
            continue
        name = key.removeprefix("in.")
        if isinstance(after, dict) or isinstance(before, dict):
            changed.append(f"{name} changed")
        else:
            changed.append(f"{name}: {before} -> {after}")
    if not changed:
        return "its manifest was withdrawn or collected"
    return few(changed)


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
