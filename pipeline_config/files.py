"""The files that a configuration names: they are looked for before anything runs."""

import glob
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline_config.pipeline import PipelineConfig

Key = tuple[str, ...]

# The last keys of those that name files of this machine, folders or patterns.
NAMES_FILES = {
    ("paths",),  # of sources, evaluation sets and examples
    ("words", "lists"),
    ("url_filter", "files"),
    ("score", "language_model"),
    ("bootstrap", "seed_tasks"),
}


def absent_files(config: PipelineConfig) -> list[tuple[Key, str]]:
    """The keys that name a file that is not there, or a pattern that nothing fits."""
    found = []
    for key, value in _leaves(config, ()):
        if any(_ends(key, names) for names in NAMES_FILES) or _is_model_file(key):
            found += [
                (key, _absent(path)) for path in _paths(value) if path and not _is_there(path)
            ]
    return found


def _leaves(value: Any, key: Key) -> Iterator[tuple[Key, Any]]:
    """All values of a configuration that no key lies under, with their keys."""
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if not isinstance(value, Mapping):
        yield key, value
        return
    for name, below in value.items():
        yield from _leaves(below, (*key, str(name)))


def _ends(key: Key, names: Key) -> bool:
    """Whether the last keys are `names`, or those under them, such as a list by its name."""
    return key[-len(names) :] == names or key[-len(names) - 1 : -1] == names


def _is_model_file(key: Key) -> bool:
    return key[:2] == ("quality", "classifiers") and key[-1] == "model"


def _paths(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _is_there(path: str) -> bool:
    full = os.path.expanduser(path)
    return os.path.exists(full) or any(glob.iglob(full, recursive=True, include_hidden=True))


def _absent(path: str) -> str:
    return f"no file {path!r} (from {Path.cwd()}); mend the path, or take it out"
