"""A preset's YAML and dotted overrides become one checked configuration.

    load_config("demo", ["dedup.num_bands=20"])
    load_config("presets/mine.yaml", {"quality.sources.docs.gopher_quality.min_words": 10})

Presets are sparse: they hold only what differs from the defaults. Each mistake ends in one line
that names the place, the key, the value and the fix.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline_config.files import absent_files
from pipeline_config.mistakes import Places, did_you_mean, dotted, explain, listed
from pipeline_config.model_keys import is_model, plain, type_at
from pipeline_config.pipeline import PipelineConfig
from pipeline_config.yaml_file import YamlError, parse_value, read_yaml

PRESETS = Path(__file__).parent / "presets"

Config = TypeVar("Config", bound=BaseModel)
Overrides = Mapping[str, Any] | Iterable[str]


class ConfigError(ValueError):
    """The configuration is wrong; the message has one line for each mistake."""


def preset_names() -> list[str]:
    """The presets that come with the program."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def load_preset(preset: str, overrides: Overrides, model: type[Config]) -> Config:
    """The configuration of `preset` (a name or the path of a YAML file) with `overrides`.

    Overrides are `key=value` texts, their values YAML, or a mapping of dotted keys.

    Raises:
        ConfigError: for an unknown preset, broken YAML, or a wrong key, type or value.
    """
    return _load(preset, overrides, model)[0]


def load_config(preset: str, overrides: Overrides = ()) -> PipelineConfig:
    """The whole pipeline's configuration; see `load_preset`."""
    return load_preset(preset, overrides, PipelineConfig)


def load_for_run(preset: str, overrides: Overrides = ()) -> PipelineConfig:
    """The same for a run on this machine: the files that it names are there.

    Raises:
        ConfigError: as `load_preset`, and for files that are not there.
    """
    config, places = _load(preset, overrides, PipelineConfig)
    absent = absent_files(config)
    if absent:
        lines = [f"{places.of(key)}: {dotted(key)}: {message}" for key, message in absent]
        raise ConfigError("\n".join(lines))
    return config


def _load(preset: str, overrides: Overrides, model: type[Config]) -> tuple[Config, Places]:
    path = preset_path(preset)
    try:
        data, lines = read_yaml(path)
    except YamlError as error:
        raise ConfigError(str(error)) from None
    changes = _parse_overrides(overrides)
    word = "override" if isinstance(overrides, Mapping) else "--set"
    texts = {key: f"{word} {dotted(key)}={changes[key]}" for key in changes}
    places = Places(path, lines, texts)
    for key, value in changes.items():
        _set(data, key, value, model)
    try:
        return model.model_validate(data), places
    except ValidationError as error:
        raise ConfigError(explain(error, model, places)) from None


def parse_overrides(texts: Iterable[str]) -> dict[str, Any]:
    """`key=value` texts as the mapping that a flow's `overrides` parameter takes.

    >>> parse_overrides(["dedup.num_bands=20"])
    {'dedup.num_bands': 20}
    """
    return {dotted(path): value for path, value in _parse_overrides(texts).items()}


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
        raise ConfigError(f"no file {preset}; give a YAML file or one of {listed(preset_names())}")
    raise ConfigError(
        f"unknown preset {preset!r}{did_you_mean(preset, preset_names())}; there are "
        f"{listed(preset_names())}, or give the path of a YAML file"
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
