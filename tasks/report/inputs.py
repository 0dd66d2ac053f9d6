"""The artifacts that a report is made of, found by their run labels."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from storage.artifact import ArtifactRef, Counts, FileEntry, Manifest
from storage.build import Build
from storage.tables import read_table
from tasks.report.contents import StepCounts
from tasks.report.examples import Place
from tasks.report.figures import bounds
from tasks.report.funnel import by_number


class Inputs:
    """What a run made so far: `step` or `step/source` -> artifact; any of them may be absent."""

    def __init__(self, build: Build, artifacts: Mapping[str, ArtifactRef]) -> None:
        """Labels are sorted, because a run hands them out in the order in which steps ended."""
        self.build = build
        self._refs = dict(sorted(artifacts.items()))

    def get(self, step: str, source: str = "") -> ArtifactRef | None:
        """The artifact of one step, of one source if the step works source by source."""
        return self._refs.get(f"{step}/{source}" if source else step)

    def sources(self, step: str) -> dict[str, ArtifactRef]:
        """The artifacts of a step that works source by source, by source."""
        prefix = f"{step}/"
        return {
            label.removeprefix(prefix): ref
            for label, ref in self._refs.items()
            if label.startswith(prefix)
        }

    def decisions(self, step: str, source: str, columns: list[str]) -> "Tables | None":
        """What a step decided on a source, whether it works source by source or on all at once."""
        ref, folder = self.get(step, source), ""
        if ref is None:
            ref, folder = self.get(step), source
        return None if ref is None else self.tables(ref, columns, folder)

    def documents(self) -> dict[str, ArtifactRef]:
        """The documents of every source, crawled or read, by source."""
        return dict(sorted({**self.sources("extract"), **self.sources("read")}.items()))

    def manifests(self) -> Iterator[tuple[str, Manifest]]:
        """Every label with its manifest."""
        for label, ref in self._refs.items():
            yield label, self.build.manifest(ref)

    def manifest(self, ref: ArtifactRef) -> Manifest:
        """The record of one artifact."""
        return self.build.manifest(ref)

    def counts(self, ref: ArtifactRef) -> Counts:
        """The counts of one artifact."""
        return self.manifest(ref).counts

    def has(self, ref: ArtifactRef, name: str) -> bool:
        """Whether an artifact has a file of this name."""
        return any(entry.name == name for entry in self.build.files(ref))

    def path(self, ref: ArtifactRef, name: str) -> Path:
        """One file of an artifact."""
        return self.build.path(ref, name)

    def tables(
        self, ref: ArtifactRef, columns: list[str] | None = None, folder: str = ""
    ) -> "Tables":
        """The Parquet files of an artifact, or of one folder in it."""
        files = [
            entry
            for entry in self.build.files(ref, ".parquet")
            if entry.name.rpartition("/")[0] == folder
        ]
        return Tables(self.build, files, columns)


class Tables:
    """Parquet files read one at a time, each loop anew: memory holds one of them."""

    def __init__(self, build: Build, files: list[FileEntry], columns: list[str] | None) -> None:
        """`columns` are those that are read, as far as a file has them; None: all."""
        self._build = build
        self._files = files
        self._columns = columns

    def __iter__(self) -> Iterator[pa.Table]:
        """Every file's table, in order."""
        for entry in self._files:
            yield self._read(entry)

    def _read(self, entry: FileEntry) -> pa.Table:
        path = self._build.store.blob_path(entry)
        if self._columns is None:
            return read_table(path)
        there = pq.read_schema(path).names
        return read_table(path, [name for name in self._columns if name in there])

    def rows(self, places: list[Place]) -> dict[Place, dict[str, object]]:
        """The rows at some places, reading only the files that hold one."""
        found: dict[Place, dict[str, object]] = {}
        for number in sorted({place.file for place in places}):
            table = self._read(self._files[number])
            here = sorted({place.row for place in places if place.file == number})
            for row, values in zip(here, table.take(here).to_pylist(), strict=True):
                found[Place(number, row)] = values
        return found


def step_counts(step: str, source: str, counts: Counts) -> StepCounts:
    """The funnel that a step counted itself."""
    return StepCounts(
        step,
        source,
        counts.read,
        counts.kept,
        by_number(counts.dropped),
        counts.edited,
        by_number(counts.extra.get("failing", {})),
        tuple(
            (rule, f"{limit['signal']} {bounds(limit['from'], limit['to'])}".rstrip())
            for rule, limit in sorted(counts.extra.get("limits", {}).items())
        ),
        examples=tuple((reason, tuple(found)) for reason, found in sorted(counts.examples.items())),
    )
