"""`map_shards`: a pure function over input files, each result cached on its own.

The result of a shard is found under hash(step, version, libraries, parameters, digests of its
inputs) in append-only journals. A worker appends its line after its blobs are in the store, so a
killed run resumes at the first missing shard, and a grown input computes only its new shards.

    shards/<step>/<group>/<writer>.jsonl   one line per finished shard, `group` = all but the inputs
"""

import json
import os
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel

from storage.artifact import Counts, FileEntry
from storage.executors import run_in_processes
from storage.fingerprint import canonical_json, fingerprint
from storage.store import Store, VanishedError
from storage.tables import write_table

FLUSH_SECONDS = 20.0  # how much of a remote journal a kill can cost
NAME_MARK = "{}"  # stands for the shard's name in journals: a shard keeps its result when renamed


class ShardError(Exception):
    """One shard failed; the message holds its name, the error and the worker's traceback."""


@dataclass(frozen=True)
class Shard:
    """One unit of work: input files, and an extra value that counts as input too."""

    name: str
    inputs: tuple[FileEntry, ...]
    extra: Any = None


class ShardOutput:
    """Where a shard's function puts its files and counts."""

    def __init__(self, name: str, extra: Any, scratch: Path) -> None:
        """`scratch` is an empty folder for temporary files."""
        self.name = name
        self.extra = extra
        self.scratch = scratch
        self.counts = Counts()
        self.files: list[tuple[str, Path, int, str]] = []

    def add_file(self, name: str, path: Path, *, rows: int = 0, digest: str = "") -> None:
        """Adopts a finished file in `scratch`; its name must hold the shard's name once."""
        if name.count(self.name) != 1:
            raise ValueError(f"file {name!r} must contain its shard's name {self.name!r} once")
        self.files.append((name, path, rows, digest))

    def add_table(self, name: str, table: pa.Table, schema: pa.Schema | None = None) -> None:
        """Writes and adopts a Parquet file."""
        path = self.scratch / f"table-{len(self.files)}.parquet"
        digest = write_table(path, table, schema)
        self.add_file(name, path, rows=table.num_rows, digest=digest)


ShardFunction = Callable[[list[Path], Any, ShardOutput], None]


@dataclass(frozen=True)
class ShardResult:
    """What one shard left: its files, still under its own name, and its counts."""

    files: list[FileEntry]
    counts: Counts

    def line(self, key: str, name: str) -> bytes:
        """The journal's line of this result."""
        files = [
            entry.model_copy(update={"name": entry.name.replace(name, NAME_MARK)})
            for entry in self.files
        ]
        return canonical_json({"key": key, "files": files, "counts": self.counts}) + b"\n"

    @classmethod
    def parse(cls, line: dict[str, Any], name: str) -> "ShardResult":
        """The result as a shard called `name` has it."""
        files = [FileEntry.model_validate(value) for value in line["files"]]
        return cls(
            [e.model_copy(update={"name": e.name.replace(NAME_MARK, name)}) for e in files],
            Counts.model_validate(line["counts"]),
        )


@dataclass(frozen=True)
class _Task:
    store_url: str
    group: str
    key: str
    shard: Shard
    function: ShardFunction
    params: Any

    def __str__(self) -> str:
        return f"shard {self.shard.name}"


@dataclass(frozen=True)
class _Failure:
    kind: str
    message: str
    traceback: str
    vanished: str = ""


def map_shards(
    store: Store,
    recipe: dict[str, Any],
    function: ShardFunction,
    shards: Sequence[Shard],
    params: BaseModel | dict[str, Any] | None,
    workers: int,
    on_done: Callable[[int, Counts, bool], None],
) -> list[ShardResult]:
    """The results of all shards, in order; only those that no journal holds are computed.

    `recipe` names step, version and libraries. `on_done` hears of each finished shard: its index,
    its counts, and whether it was cached.

    Raises:
        ShardError: when a shard failed; the others in flight are finished and kept.
    """
    group_key = {**recipe, "params": params}
    group = f"shards/{recipe['step']}/{fingerprint(group_key)[:32]}"
    keys = [
        fingerprint({**group_key, "inputs": [e.digest for e in shard.inputs], "extra": shard.extra})
        for shard in shards
    ]
    known = read_journal(store, group)
    results: dict[int, ShardResult] = {}
    for index, (shard, key) in enumerate(zip(shards, keys, strict=True)):
        if key in known:
            result = ShardResult.parse(known[key], shard.name)
            if all(store.has_blob(entry) for entry in result.files):
                results[index] = result
                on_done(index, result.counts, True)
    todo = [index for index in range(len(shards)) if index not in results]
    tasks = [
        _Task(store.url, group, keys[index], shards[index], function, params) for index in todo
    ]
    lines: list[bytes] = []
    running = run_in_processes(_run_shard, tasks, workers)
    try:
        for position, outcome in running:
            index = todo[position]
            if isinstance(outcome, _Failure):
                raise _as_error(outcome, recipe["step"], shards[index].name)
            results[index] = outcome
            lines.append(outcome.line(keys[index], shards[index].name))
            on_done(index, outcome.counts, False)
    finally:
        running.close()  # what is in flight is finished, and journalled by its worker
        if lines and not store.is_local:  # workers may die with an unflushed remote journal
            Journal(store, group).write(lines)
    return [results[index] for index in range(len(shards))]


def _as_error(failure: _Failure, step: str, shard: str) -> Exception:
    if failure.vanished:
        return VanishedError(failure.vanished, "vanished")
    return ShardError(
        f"{step}, shard {shard}: {failure.kind}: {failure.message}\n{failure.traceback}"
    )


@lru_cache(maxsize=4)
def _open_store(url: str) -> Store:
    return Store(url)


@lru_cache(maxsize=64)
def _open_journal(url: str, group: str) -> "Journal":
    return Journal(_open_store(url), group)


def _run_shard(task: _Task) -> ShardResult | _Failure:
    """The worker's side: never raises, so that no foreign exception has to be pickled."""
    try:
        store = _open_store(task.store_url)
        with store.scratch() as scratch:
            out = ShardOutput(task.shard.name, task.shard.extra, scratch)
            task.function([store.blob_path(e) for e in task.shard.inputs], task.params, out)
            files = [put_file(store, *file) for file in out.files]
        result = ShardResult(files, out.counts)
        _open_journal(task.store_url, task.group).append(result.line(task.key, task.shard.name))
        return result
    except VanishedError as error:
        return _Failure("VanishedError", str(error), "", vanished=error.blob)
    except Exception as error:
        return _Failure(type(error).__name__, str(error), traceback.format_exc())


def put_file(store: Store, name: str, path: Path, rows: int, digest: str) -> FileEntry:
    """Moves a finished file into the store; without a digest its content is its bytes."""
    blob, size = store.put_blob(path)
    return FileEntry(name=name, blob=blob, digest=digest or blob, bytes=size, rows=rows)


# ---- journals


@dataclass
class Journal:
    """One writer's segment of a group's journal.

    Locally a line is appended at once (`O_APPEND`, one write). An object store knows no append, so
    there lines gather for up to `FLUSH_SECONDS` and go out as numbered segments.
    """

    store: Store
    group: str
    writer: str = field(default_factory=lambda: uuid.uuid4().hex)
    waiting: list[bytes] = field(default_factory=list)
    flushed_at: float = field(default_factory=time.monotonic)
    segments: int = 0

    def append(self, line: bytes) -> None:
        """Records one finished shard."""
        self.waiting.append(line)
        if self.store.is_local or time.monotonic() - self.flushed_at >= FLUSH_SECONDS:
            self.flush()

    def write(self, lines: list[bytes]) -> None:
        """Records many finished shards at once."""
        self.waiting += lines
        self.flush()

    def flush(self) -> None:
        """Makes the waiting lines durable."""
        data, self.waiting, self.flushed_at = b"".join(self.waiting), [], time.monotonic()
        if self.store.is_local:
            path = Path(self.store.full(f"{self.group}/{self.writer}.jsonl"))
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(descriptor, data)
            finally:
                os.close(descriptor)
        else:
            self.segments += 1
            name = f"{self.group}/{self.writer}-{self.segments:06d}.jsonl"
            self.store.fs.pipe_file(self.store.full(name), data)


def read_journal(store: Store, group: str) -> dict[str, dict[str, Any]]:
    """All finished shards of a group by key; a line torn by a kill is ignored."""
    known: dict[str, dict[str, Any]] = {}
    for line in _complete_lines(store, group):
        try:
            value = json.loads(line)
            known[value["key"]] = value
        except (ValueError, KeyError, TypeError):
            continue  # a torn line that another one was appended to
    return known


def _complete_lines(store: Store, group: str) -> Iterator[bytes]:
    for path in store.list_files(group):
        data = store.fs.cat_file(store.full(path))
        yield from data[: data.rfind(b"\n") + 1].splitlines()
