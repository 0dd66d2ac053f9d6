"""The examples of one class in files: JSON lines, Parquet tables, and text files with one text.

Texts come one after the other, so that files may be larger than memory. Only the standard library
is imported at first: planning asks for the files' digests.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline_config.classifier import ClassifierConfig, Examples

COMPRESSED = (".gz", ".zst")
KINDS = (".jsonl", ".parquet", ".txt", ".md")
SHOWN_COLUMNS = 12  # in an error


def identity(config: ClassifierConfig) -> dict[str, Any]:
    """The digests of all files that a classifier is made of.

    Raises:
        ValueError: when a path matches no file, or a file is of no known kind.
    """
    sides = {"positives": config.positives, "negatives": config.negatives}
    found: dict[str, Any] = {
        side: [_digest(path) for path in example_files(examples)]
        for side, examples in sides.items()
    }
    if config.model is not None:
        found["model"] = _digest(Path(config.model).expanduser())
    return found


def example_files(examples: Examples) -> list[Path]:
    """The files of one class, each once, in order.

    Raises:
        ValueError: when a path matches no file, or a file is of no known kind.
    """
    found: dict[Path, None] = {}
    for pattern in examples.paths:
        path = Path(pattern).expanduser()
        root = Path(path.anchor)
        matched = [path] if path.is_file() else sorted(root.glob(str(path.relative_to(root))))
        files = [match for match in matched if match.is_file()]
        if not files:
            raise ValueError(f"paths: {pattern!r} matches no file (from {Path.cwd()})")
        found |= dict.fromkeys(files)
    for path in found:
        kind_of(path)
    return list(found)


def kind_of(path: Path) -> str:
    """The suffix that says how a file is read, without that of its compression.

    Raises:
        ValueError: when it is of no known kind.
    """
    name = path.name.lower()
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    kind = Path(name).suffix
    if kind not in KINDS:
        raise ValueError(f"paths: {path} is none of {', '.join(KINDS)}")
    return kind


def read_examples(examples: Examples, drop: Callable[[str], None]) -> Iterator[str]:
    """The texts of one class; `drop` hears why a row has none.

    Raises:
        ValueError: when a file cannot be read, or has no row with the columns.
    """
    for path in example_files(examples):
        if kind_of(path) in (".txt", ".md"):
            text = _read_text(path, drop)
            if text is not None:
                yield text
            continue
        columns = [examples.column, *examples.where]
        missing, there = set(columns), dict[str, None]()
        for row in _rows(path, drop):
            there |= dict.fromkeys(row)
            missing -= row.keys()
            if any(_plain(row.get(key)) != _plain(value) for key, value in examples.where.items()):
                continue
            text = row.get(examples.column)
            if isinstance(text, str):
                yield text
            else:
                drop("no_text")
        if missing and there:
            listed = ", ".join(list(there)[:SHOWN_COLUMNS])
            name = next(column for column in columns if column in missing)
            raise ValueError(f"{path} has no column {name!r}; there are {listed}")


def _plain(value: object) -> str:
    """A value as text: {label: 1} finds 1 and "1", {toxic: true} finds True and "true"."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().lower()


def _rows(path: Path, drop: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if kind_of(path) == ".parquet":
            with pq.ParquetFile(path) as table:
                for batch in table.iter_batches(1000):
                    yield from batch.to_pylist()
        else:
            with pa.input_stream(str(path), compression="detect") as stream:
                yield from _json_rows(stream, drop)
    except (OSError, EOFError, pa.ArrowInvalid) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error


def _json_rows(stream: Any, drop: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    import io

    for line in io.BufferedReader(stream):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            yield value
        else:
            drop("broken_line")


def _read_text(path: Path, drop: Callable[[str], None]) -> str | None:
    import pyarrow as pa

    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            return str(stream.read().decode("utf-8-sig"))
    except UnicodeDecodeError:
        drop("not_utf8")
        return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
