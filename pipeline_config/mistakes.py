"""What is wrong with a configuration: a line per mistake, with place, key, value and fix."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline_config.model_keys import is_model, key_of, keys_of, members, type_at
from pipeline_config.yaml_file import KeyLines

Key = tuple[str, ...]

MOST_LINES = 20
# Pydantic's word for a default that could not be computed, since what it depends on is wrong.
CONSEQUENCE = "default_factory_not_called"
WORDS = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*")


@dataclass(frozen=True)
class Places:
    """Where each key of a configuration was written."""

    path: Path
    lines: KeyLines
    changes: Mapping[Key, str]

    def of(self, key: Key) -> str:
        """The override that set the key or lies under it, else file and line."""
        for changed, text in self.changes.items():
            if changed[: len(key)] == key or key[: len(changed)] == changed:
                return text
        return self._line(key)

    def of_group(self, key: Key, named: list[Key]) -> str:
        """Where a mistake of the keys under `key` was made, of which a message has `named` some."""
        for one in named:
            if self.of(one) != self._line(one):
                return self.of(one)
        written = [one for one in named if one in self.lines]
        return self._line(written[0] if written else key) if named else self.of(key)

    def _line(self, key: Key) -> str:
        for length in range(len(key), 0, -1):
            if key[:length] in self.lines:
                return f"{self.path}:{self.lines[key[:length]]}"
        return str(self.path)


def explain(error: ValidationError, model: type[BaseModel], places: Places) -> str:
    """Every mistake in one line; what only follows from another one is left out."""
    lines: dict[str, None] = {}
    for each in error.errors(include_url=False):
        if each["type"] != CONSEQUENCE:
            lines[_line(each, model, places)] = None
    first = list(lines)[:MOST_LINES]
    more = [f"and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
    return "\n".join([*first, *more])


def _line(error: Any, model: type[BaseModel], places: Places) -> str:
    key = key_of(model, error["loc"])
    if error["type"].startswith("union_tag"):  # the key that says what the others mean
        key = (*key, error["ctx"]["discriminator"].strip("'"))
    message = _message(error, key, model, is_named=key in places.changes)
    if error["type"] == "value_error" and isinstance(error["input"], Mapping):
        return f"{places.of_group(key, _named(str(error['msg']), key, model))}: {message}"
    return f"{places.of(key)}: {message}"


def _message(error: Any, key: Key, model: type[BaseModel], is_named: bool) -> str:
    """What is wrong with one key; `is_named`: the place names key and value already."""
    name, value = dotted(key), error["input"]
    if error["type"] == "extra_forbidden":
        known = keys_of(type_at(model, key[:-1]))
        near = did_you_mean(key[-1], known)
        return f"unknown key {name}{near or f'; there are {listed(known)}'}"
    if error["type"] == "missing":
        return f"{name} is missing{_description(model, key)}; set it here or with --set {name}=…"
    if error["type"].startswith("union_tag"):
        known = re.findall("'([^']+)'", error["ctx"].get("expected_tags", ""))
        tag = error["ctx"].get("tag", "")
        if not tag:
            return f"{name} is missing; set it to say what {dotted(key[:-1])} is"
        return f"{name} = {tag!r}: {did_you_mean(tag, known)[2:] or f'there are {listed(known)}'}"
    text = str(error["msg"]).removeprefix("Value error, ")
    text = text[:1].lower() + text[1:]
    text = text.replace("input should be", "must be", 1) + _description(model, key)
    if is_named or not key:
        return text
    return f"{name}: {text}" if isinstance(value, Mapping | list) else f"{name} = {value!r}: {text}"


def _named(message: str, key: Key, model: type[BaseModel]) -> list[Key]:
    """The keys under `key` that a message speaks of, in its order."""
    below = keys_of(type_at(model, key))
    words = [tuple(word.split(".")) for word in WORDS.findall(message)]
    return [(*key, *word) for word in words if word[0] in below]


def _description(model: type[BaseModel], key: Key) -> str:
    """What a field means, for the end of a message about its value."""
    owners = members(type_at(model, key[:-1])) if key else []
    for owner in filter(is_model, owners):
        field = owner.model_fields.get(key[-1])
        if field is not None and field.description:
            return f" ({field.description})"
    return ""


def did_you_mean(name: str, known: list[str]) -> str:
    """The nearest of the names there are, as the end of a message; nothing when none is near."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def dotted(key: Key) -> str:
    """A key as users write it."""
    return ".".join(key)


def listed(names: list[str]) -> str:
    """Names for the end of a message."""
    return ", ".join(names) if names else "none"
