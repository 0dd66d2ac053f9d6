"""The portions of a capture: each is fetched once per store, whichever capture wants it.

A portion is named by what was asked for (a file of a crawl, some records of it), and found in a
journal beside those of the shards. So a capture of one more crawl, domain or file fetches only its
own portions, and a killed one goes on with the first portion that is not there; a half one goes on
from the build's work folder.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage.artifact import Counts
from storage.build import Build
from storage.fingerprint import fingerprint
from storage.shards import Journal, ShardResult, put_file, read_journal
from tasks.crawl.backoff import StoppedError
from tasks.crawl.remote import Remote

TOLD_EVERY_SECONDS = 1.0
FORMAT = 1  # of what portions hold; a new one fetches all again


@dataclass
class PortionOutput:
    """Where a portion's fetcher puts its files and counts."""

    name: str
    folder: Path  # survives kills
    tell: Callable[[int], None]  # how many units (pages, or bytes) are done
    counts: Counts = field(default_factory=Counts)
    files: list[tuple[str, Path, int, str]] = field(default_factory=list)

    def add_file(self, suffix: str, path: Path, *, rows: int = 0, digest: str = "") -> None:
        """Adopts a finished file; it is called after its portion."""
        self.files.append((self.name + suffix, path, rows, digest))


@dataclass(frozen=True)
class Portion:
    """Something to fetch: what is asked for, as its key, and how."""

    asked: dict[str, Any]
    fetch: Callable[[PortionOutput], None]

    @property
    def key(self) -> str:
        """The portion's name in the journal."""
        return fingerprint(self.asked)


def fetch_portions(
    build: Build, remote: Remote, portions: Sequence[Portion], connections: int, unit: str
) -> list[ShardResult]:
    """What each portion holds, in order; `connections` are fetched at one time."""
    journal = Journal(build.store, f"shards/{build.step}/portions-{FORMAT}")
    results = _fetched_before(build, journal.group, portions)
    if results:
        build.log(f"{len(results)} of {len(portions)} {unit} were fetched before")
    meter = _Meter(build, len(portions), len(results), unit)

    def keep(index: int, out: PortionOutput) -> None:
        files = [put_file(build.store, *file) for file in out.files]
        results[index] = ShardResult(files, out.counts)
        journal.append(results[index].line(portions[index].key, out.name))
        meter.finished += 1

    todo = [index for index in range(len(portions)) if index not in results]
    try:
        with ThreadPoolExecutor(max_workers=connections) as threads:
            running = {
                threads.submit(_fetch, build, remote, portions[index], index, meter): index
                for index in todo
            }
            try:
                _collect(running, keep, meter)
            except BaseException:
                remote.stop()
                threads.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        if journal.waiting:
            journal.flush()
    return [results[index] for index in range(len(portions))]


def _fetched_before(
    build: Build, group: str, portions: Sequence[Portion]
) -> dict[int, ShardResult]:
    """The portions that are in the store, by their position."""
    known = read_journal(build.store, group)
    results = {}
    for index, portion in enumerate(portions):
        if portion.key in known:
            result = ShardResult.parse(known[portion.key], _name(index))
            if all(build.store.has_blob(entry) for entry in result.files):
                results[index] = result
    return results


def _collect(
    running: dict[Future[PortionOutput], int],
    keep: Callable[[int, PortionOutput], None],
    meter: "_Meter",
) -> None:
    """Keeps each portion as soon as it is there, so that a kill loses no whole one."""
    while running:
        done, _ = wait(running, TOLD_EVERY_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            index = running.pop(future)
            if not isinstance(future.exception(), StoppedError):  # another one's error comes
                keep(index, future.result())
        meter.show()


def _name(index: int) -> str:
    return f"{index:05d}"


def _fetch(
    build: Build, remote: Remote, portion: Portion, index: int, meter: "_Meter"
) -> PortionOutput:
    folder = build.work / portion.key[:32]
    folder.mkdir(parents=True, exist_ok=True)
    out = PortionOutput(_name(index), folder, lambda done: meter.tell(index, done))
    try:
        portion.fetch(out)
    except BaseException:
        remote.stop()  # before this thread begins with the next one
        raise
    return out


class _Meter:
    """How far all portions are; threads tell it, one shows it."""

    def __init__(self, build: Build, total: int, finished: int, unit: str) -> None:
        self.build, self.total, self.finished, self.unit = build, total, finished, unit
        self._done: dict[int, int] = {}
        self._lock = threading.Lock()

    def tell(self, index: int, done: int) -> None:
        with self._lock:
            self._done[index] = done

    def show(self) -> None:
        with self._lock:
            units = sum(self._done.values())
        self.build.progress(self.finished, self.total, self.unit, fetched=units)
