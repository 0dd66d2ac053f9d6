"""YAML as people expect it: plain words stay words, a key stands once, errors know their line.

PyYAML follows YAML 1.1, where `no` is false, `2024-06-01` a date, `1e-3` a word, `10:30` the
number 630, and of two equal keys the last one wins in silence. Here only `true`, `false`, `null`
and numbers are more than text, and a repeated key is an error.
"""

import re
from pathlib import Path
from typing import Any

import yaml

KeyLines = dict[tuple[str, ...], int]


class YamlError(ValueError):
    """The text is no YAML; the message begins with file and line."""


class _Loader(yaml.SafeLoader):
    """A safe loader with the types of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9][0-9_]*", "-+0123456789"),
    ("float", r"[-+]?([0-9][0-9_]*)?\.?[0-9]+([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )


def parse_value(text: str) -> Any:
    """The value that `text` stands for, as in a YAML file.

    >>> [parse_value(text) for text in ("20", "3e-4", "no", "[a, 2]", "2024-06-01")]
    [20, 0.0003, 'no', ['a', 2], '2024-06-01']
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise YamlError(f"{text!r} is no YAML value: {_one_line(error)}; quote it") from None


def read_yaml(path: Path) -> tuple[dict[str, Any], KeyLines]:
    """The mapping in a YAML file, and the line of every key in it.

    Raises:
        YamlError: for broken YAML, a repeated key, or anything but a mapping.
    """
    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        if root is None:
            return {}, {}
        if not isinstance(root, yaml.MappingNode):
            raise YamlError(f"{path}:1: expected keys such as `dedup:`, found {_kind(root)}")
        lines: KeyLines = {}
        _collect_lines(path, root, (), lines)
        return loader.construct_document(root), lines
    except yaml.YAMLError as error:
        line = _line_of(error)
        raise YamlError(f"{path}:{line}: broken YAML: {_one_line(error)}") from None
    except UnicodeDecodeError:
        raise YamlError(f"{path}:1: not UTF-8 text; save it as UTF-8") from None


def _collect_lines(path: Path, node: yaml.Node, prefix: tuple[str, ...], lines: KeyLines) -> None:
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _collect_lines(path, item, (*prefix, str(index)), lines)
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        name, line = (*prefix, str(key.value)), key.start_mark.line + 1
        if name in lines:
            raise YamlError(
                f"{path}:{line}: {'.'.join(name)} stands here and in line {lines[name]}; "
                "remove one of them"
            )
        lines[name] = line
        _collect_lines(path, value, name, lines)


def _kind(node: yaml.Node) -> str:
    return "a list" if isinstance(node, yaml.SequenceNode) else f"the text {node.value!r}"


def _line_of(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark is not None else 1


def _one_line(error: yaml.YAMLError) -> str:
    """What is wrong, without PyYAML's picture of the place."""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return " ".join(str(problem).split())
