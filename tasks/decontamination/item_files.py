"""Evaluation sets in files: JSON lines, Parquet tables and plain text, whole or compressed.

Only the standard library is imported at first: planning asks for the files' digests.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pipeline_config.decontamination import EvaluationSet

COMPRESSED = (".gz", ".zst")
JSON_LINES, TABLES, TEXTS = (".jsonl", ".ndjson"), (".parquet",), (".txt", ".md")
SUFFIXES = (*JSON_LINES, *TABLES, *TEXTS)
MAGIC = re.compile(r"[*?\[]")
SHOWN_COLUMNS = 12  # in an error


class Item(NamedTuple):
    """One text of an evaluation set."""

    number: int  # row of the set, over all its files; a row may have several texts
    column: str  # "" for plain text
    text: str


def identity(sets: dict[str, EvaluationSet]) -> dict[str, Any]:
    """The digests of the files of each set, in order.

    Raises:
        ValueError: when a path matches no file, or a file is of no known kind.
    """
    return {name: [_digest(path) for path in set_files(one)] for name, one in sorted(sets.items())}


def set_files(one: EvaluationSet) -> list[Path]:
    """The files of a set, each once, in order.

    Raises:
        ValueError: when a path matches no file, or a file is of no known kind.
    """
    found: dict[Path, None] = {}
    for pattern in one.paths:
        matched = sorted(_matches(Path(pattern).expanduser()))
        if not matched:
            raise ValueError(f"paths: {pattern!r} matches no file (from {Path.cwd()})")
        found |= dict.fromkeys(matched)
    for path in found:
        kind_of(path)
    return list(found)


def kind_of(path: Path) -> str:
    """The suffix that says how a file is read, without that of its compression.

    Raises:
        ValueError: when it is of no known kind.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    if not suffixes or suffixes[-1] not in SUFFIXES:
        raise ValueError(f"paths: {path} is none of {', '.join(SUFFIXES)}, also as .gz or .zst")
    return suffixes[-1]


def read_items(one: EvaluationSet, drop: Callable[[str], None]) -> Iterator[Item]:
    """All texts of a set; `drop` hears why a row has none.

    Raises:
        ValueError: when a file cannot be read, or no row has one of the columns.
    """
    number = 0
    for path in set_files(one):
        try:
            rows = list(_rows(path, one, drop))
        except (OSError, EOFError) as error:
            raise ValueError(f"{path} cannot be read: {error}") from error
        if kind_of(path) not in TEXTS:
            _check_columns(path, rows, one.columns)
        for row in rows:
            columns = ("",) if isinstance(row, str) else one.columns
            texts = [(column, text) for column in columns for text in texts_at(row, column)]
            if not any(text.strip() for _, text in texts):
                drop("no_text")
            yield from (Item(number, column, text) for column, text in texts if text.strip())
            number += 1


def texts_at(value: Any, column: str) -> Iterator[str]:
    """The texts under a dotted name: one, those of a list, or none.

    >>> list(texts_at({"question": {"stem": "Why?"}}, "question.stem"))
    ['Why?']
    >>> list(texts_at({"choices": ["yes", "no"]}, "choices"))
    ['yes', 'no']
    """
    if isinstance(value, list):
        for inside in value:
            yield from texts_at(inside, column)
    elif not column:
        if isinstance(value, str):
            yield value
    elif isinstance(value, dict):
        if column in value:  # a name with a dot in it
            yield from texts_at(value[column], "")
        else:
            head, _, rest = column.partition(".")
            yield from texts_at(value.get(head), rest)


def _matches(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for inside in path.iterdir():
            name = inside.name.lower()
            for ending in COMPRESSED:
                name = name.removesuffix(ending)
            if inside.is_file() and name.endswith(SUFFIXES):
                yield inside
    elif MAGIC.search(str(path)):
        parts = path.parts
        plain = next(i for i, part in enumerate(parts) if MAGIC.search(part))
        root = Path(*parts[:plain])
        yield from (file for file in root.glob("/".join(parts[plain:])) if file.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _rows(path: Path, one: EvaluationSet, drop: Callable[[str], None]) -> Iterator[Any]:
    """Rows of a file: objects, or texts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind = kind_of(path)
    if kind in TABLES:
        try:
            yield from pq.read_table(path, partitioning=None).to_pylist()
        except pa.ArrowInvalid as error:
            raise OSError(str(error)) from error
        return
    with pa.input_stream(str(path), compression="detect") as stream:
        data = stream.read()
    if kind in JSON_LINES:
        yield from _json_rows(data, drop)
    else:
        yield from _text_rows(data, one.split, drop)


def _json_rows(data: bytes, drop: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    for line in data.removeprefix(b"\xef\xbb\xbf").splitlines():
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


def _text_rows(data: bytes, split: str, drop: Callable[[str], None]) -> Iterator[str]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        drop("not_utf8")
        return
    if split == "file":
        rows = [text]
    else:
        rows = text.splitlines() if split == "lines" else re.split(r"\n\s*\n", text)
    yield from (row.strip() for row in rows if row.strip())


def _check_columns(path: Path, rows: list[Any], columns: tuple[str, ...]) -> None:
    there = list(dict.fromkeys(key for row in rows for key in row))
    listed = ", ".join(there[:SHOWN_COLUMNS]) + (", …" if len(there) > SHOWN_COLUMNS else "")
    if not columns:
        raise ValueError(f"{path}: columns must name what is looked for; there are {listed}")
    for column in columns:
        if rows and not any(column in row or column.split(".")[0] in row for row in rows):
            raise ValueError(f"{path} has no column {column!r}; there are {listed}")
