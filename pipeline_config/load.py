"""A preset's YAML and dotted overrides become one checked configuration.

    load_config("demo", ["dedup.num_bands=20"])
    load_config("presets/mine.yaml", {"quality.sources.docs.gopher_quality.min_words": 10})

Presets are sparse: they hold only what differs from the defaults. Whatever is wrong ends in one
line that names the place, the key, the value and the fix.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline_config.model_keys import is_model, key_of, keys_of, members, plain, type_at
from pipeline_config.pipeline import PipelineConfig
from pipeline_config.yaml_file import KeyLines, YamlError, parse_value, read_yaml

PRESETS = Path(__file__).parent / "presets"

Config = TypeVar("Config", bound=BaseModel)
Overrides = Mapping[str, Any] | Iterable[str]


class ConfigError(ValueError):
    """The configuration is wrong; the message is one line for the user."""


def preset_names() -> list[str]:
    """The presets that come with the program."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def load_preset(preset: str, overrides: Overrides, model: type[Config]) -> Config:
    """The configuration of `preset` (a name or the path of a YAML file) with `overrides`.

    Overrides are `key=value` texts, their values YAML, or a mapping of dotted keys.

    Raises:
        ConfigError: for an unknown preset, broken YAML, or a wrong key, type or value.
    """
    path = preset_path(preset)
    try:
        data, lines = read_yaml(path)
    except YamlError as error:
        raise ConfigError(str(error)) from None
    changes = _parse_overrides(overrides)
    for key, value in changes.items():
        _set(data, key, value, model)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        word = "override" if isinstance(overrides, Mapping) else "--set"
        places = Places(
            path, lines, {key: f"{word} {_dotted(key)}={changes[key]}" for key in changes}
        )
        raise ConfigError(_explain(error, model, places)) from None


def load_config(preset: str, overrides: Overrides = ()) -> PipelineConfig:
    """The whole pipeline's configuration; see `load_preset`."""
    return load_preset(preset, overrides, PipelineConfig)


def parse_overrides(texts: Iterable[str]) -> dict[str, Any]:
    """`key=value` texts as the mapping that a flow's `overrides` parameter takes.

    >>> parse_overrides(["dedup.num_bands=20"])
    {'dedup.num_bands': 20}
    """
    return {_dotted(path): value for path, value in _parse_overrides(texts).items()}


def preset_path(preset: str) -> Path:
    """Where a preset lies: a name among those of the program, else a path.

    Raises:
        ConfigError: when there is neither, with the nearest name.
    """
    if preset in preset_names():
        return PRESETS / f"{preset}.yaml"
    path = Path(preset)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return path
    if path.suffix in (".yaml", ".yml"):
        raise ConfigError(f"no file {preset}; give a YAML file or one of {_listed(preset_names())}")
    raise ConfigError(
        f"unknown preset {preset!r}{_did_you_mean(preset, preset_names())}; there are "
        f"{_listed(preset_names())}, or give the path of a YAML file"
    )


def _parse_overrides(overrides: Overrides) -> dict[tuple[str, ...], Any]:
    """Every override by its path; a mapping may also nest."""
    if isinstance(overrides, Mapping):
        return dict(_flatten(overrides, ()))
    changes = {}
    for text in overrides:
        key, separator, value = text.partition("=")
        path = tuple(key.strip().split("."))
        if not separator or not all(path):
            raise ConfigError(f"--set {text}: expected key=value such as dedup.num_bands=20")
        try:
            changes[path] = parse_value(value)
        except YamlError as error:
            raise ConfigError(f"--set {text}: {error}") from None
    return changes


def _flatten(
    overrides: Mapping[str, Any], prefix: tuple[str, ...]
) -> Iterable[tuple[tuple[str, ...], Any]]:
    for key, value in overrides.items():
        path = (*prefix, *str(key).split("."))
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, path)
        else:
            yield path, value


def _set(data: dict[str, Any], path: tuple[str, ...], value: Any, model: type[BaseModel]) -> None:
    """Sets one dotted key; a mapping that only the defaults hold is copied before it changes."""
    node = data
    for depth, name in enumerate(path[:-1]):
        if not isinstance(node.get(name), dict):
            node[name] = _default_mapping(model, path[: depth + 1])
        node = node[name]
    node[path[-1]] = value


def _default_mapping(model: type[BaseModel], path: tuple[str, ...]) -> dict[str, Any]:
    """The default of a field that holds a mapping (such as sources by name), else nothing."""
    owner = type_at(model, path[:-1])
    if not is_model(owner) or path[-1] not in owner.model_fields:
        return {}
    field = owner.model_fields[path[-1]]
    if is_model(plain(field.annotation)) or field.is_required():
        return {}
    default = field.get_default(call_default_factory=True, validated_data={})
    if not isinstance(default, Mapping):
        return {}
    return {
        name: value.model_dump() if isinstance(value, BaseModel) else value
        for name, value in default.items()
    }


# ---- explaining what is wrong


@dataclass(frozen=True)
class Places:
    """Where each key of a configuration was written."""

    path: Path
    lines: KeyLines
    changes: Mapping[tuple[str, ...], str]

    def of(self, key: tuple[str, ...]) -> str:
        """The override that set the key or lies under it, else file and line."""
        for changed, text in self.changes.items():
            if changed[: len(key)] == key or key[: len(changed)] == changed:
                return text
        for length in range(len(key), 0, -1):
            if key[:length] in self.lines:
                return f"{self.path}:{self.lines[key[:length]]}"
        return str(self.path)


def _explain(error: ValidationError, model: type[BaseModel], places: Places) -> str:
    """The first error in one line: place, key, value, and what to do."""
    errors = error.errors(include_url=False)
    key = key_of(model, errors[0]["loc"])
    message = _message(errors[0], key, model, is_named=key in places.changes)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{places.of(key)}: {message}{more}"


def _message(error: Any, key: tuple[str, ...], model: type[BaseModel], is_named: bool) -> str:
    """What is wrong with one key; `is_named`: the place names key and value already."""
    name, value = _dotted(key), error["input"]
    if error["type"] == "extra_forbidden":
        known = keys_of(type_at(model, key[:-1]))
        near = _did_you_mean(key[-1], known)
        return f"unknown key {name}{near or f'; there are {_listed(known)}'}"
    if error["type"] == "missing":
        return f"{name} is missing{_description(model, key)}; set it here or with --set {name}=…"
    text = str(error["msg"]).removeprefix("Value error, ")
    text = text[:1].lower() + text[1:]
    text = text.replace("input should be", "must be", 1) + _description(model, key)
    if is_named or not key:
        return text
    return f"{name}: {text}" if isinstance(value, Mapping | list) else f"{name} = {value!r}: {text}"


def _description(model: type[BaseModel], key: tuple[str, ...]) -> str:
    """What a field means, for the end of a message about its value."""
    owners = members(type_at(model, key[:-1])) if key else []
    for owner in filter(is_model, owners):
        field = owner.model_fields.get(key[-1])
        if field is not None and field.description:
            return f" ({field.description})"
    return ""


def _did_you_mean(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _dotted(key: tuple[str, ...]) -> str:
    return ".".join(key)


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"
