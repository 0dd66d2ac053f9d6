"""The workbench that a verb gets: its inputs by name, a place for its outputs, and its counters."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel

from storage.artifact import ArtifactRef, Counts, FileEntry, Manifest, content_digest
from storage.fingerprint import canonical_json
from storage.runs import now
from storage.shards import Shard, ShardFunction, map_shards, put_file
from storage.store import Store, StoreError
from storage.tables import write_table

ProgressSink = Callable[[int, int, str, dict[str, Any]], None]
LogSink = Callable[[str], None]


class Build:
    """One step being built. Verbs know nothing of Prefect; they know this."""

    def __init__(
        self,
        *,
        store: Store,
        label: str,
        recipe: str,
        ingredients: dict[str, Any],
        workers: int,
        scratch: Path,
        on_progress: ProgressSink,
        on_log: LogSink,
    ) -> None:
        """`ingredients` are what `recipe` is the hash of: step, version, libraries, inputs."""
        self.store = store
        self.step: str = ingredients["step"]
        self.label = label
        self.recipe = recipe
        self.workers = workers
        self.scratch = scratch
        self.counts = Counts()
        self._ingredients = ingredients
        self._on_progress = on_progress
        self._on_log = on_log
        self._files: list[FileEntry] = []
        self._manifests: dict[ArtifactRef, Manifest] = {}
        self._started_at = time.monotonic()

    # ---- inputs

    def manifest(self, ref: ArtifactRef) -> Manifest:
        """The manifest of an input: its counts, figures and seconds."""
        if ref not in self._manifests:
            self._manifests[ref] = self.store.manifest_of(ref)
        return self._manifests[ref]

    def files(self, ref: ArtifactRef, suffix: str = "") -> list[FileEntry]:
        """The files of an input whose names end with `suffix`, in order."""
        return [entry for entry in self.manifest(ref).files if entry.name.endswith(suffix)]

    def path(self, ref: ArtifactRef, name: str) -> Path:
        """A local, read-only path to one file of an input."""
        for entry in self.manifest(ref).files:
            if entry.name == name:
                return self.store.blob_path(entry)
        names = ", ".join(entry.name for entry in self.manifest(ref).files[:5])
        raise StoreError(f"{ref.step} has no file {name!r}; it has {names}")

    def paths(self, ref: ArtifactRef, suffix: str = "") -> list[Path]:
        """Local, read-only paths to all files of an input, in order."""
        return [self.store.blob_path(entry) for entry in self.files(ref, suffix)]

    def built_before(self, *same: str) -> Iterator[Manifest]:
        """What this step, as it is now, made of the same arguments of these names.

        A step may take over parts of such an artifact if it gives the same bytes without any.
        """
        for _, manifest in self.store.all_manifests(self.step):
            theirs, ours = manifest.ingredients, self._ingredients
            is_same_step = all(theirs[key] == ours[key] for key in ("version", "libraries"))
            if is_same_step and all(theirs["in"].get(key) == ours["in"].get(key) for key in same):
                yield manifest

    @property
    def work(self) -> Path:
        """The mutable folder of this recipe: checkpoints, half-fetched files. It survives kills."""
        return self.store.work(self.recipe)

    # ---- outputs

    def add_file(self, name: str, path: Path, *, rows: int = 0, digest: str = "") -> None:
        """Moves a finished local file into the store as an output of this step."""
        if any(entry.name == name for entry in self._files):
            raise ValueError(f"{self.label} adds the file {name!r} twice")
        self._files.append(put_file(self.store, name, path, rows, digest))

    def add_stored(self, entry: FileEntry) -> None:
        """Adds a file that the store has already, such as one of an earlier capture."""
        if any(known.name == entry.name for known in self._files):
            raise ValueError(f"{self.label} adds the file {entry.name!r} twice")
        self._files.append(entry)

    def add_table(self, name: str, table: pa.Table, schema: pa.Schema | None = None) -> None:
        """Writes a Parquet file the one canonical way and adds it."""
        path = self.scratch / f"table-{len(self._files)}.parquet"
        digest = write_table(path, table, schema)
        self.add_file(name, path, rows=table.num_rows, digest=digest)

    def add_json(self, name: str, value: object) -> None:
        """Writes canonical JSON and adds it."""
        path = self.scratch / f"value-{len(self._files)}.json"
        path.write_bytes(canonical_json(value))
        self.add_file(name, path)

    # ---- telling

    def log(self, message: str) -> None:
        """One line for the dashboard's log."""
        self._on_log(message)

    def progress(self, done: int, total: int, unit: str = "", **figures: Any) -> None:
        """Says how far the step is; cheap to call often. `total` is 0 when unknown."""
        self._on_progress(done, total, unit, figures)

    # ---- shards

    def map_shards(
        self,
        function: ShardFunction,
        shards: Sequence[Shard],
        params: BaseModel | dict[str, Any] | None = None,
        *,
        unit: str = "documents",
    ) -> list[FileEntry]:
        """Runs `function` on every shard that no earlier run finished; adds files and counts.

        `unit` names what `counts.read` counts. Returns the files that it added, in order of shards.
        """
        done, cached, read = 0, 0, 0
        started_at = time.monotonic()

        def on_done(_: int, counts: Counts, was_cached: bool) -> None:
            nonlocal done, cached, read
            done += 1
            cached += was_cached
            read += 0 if was_cached else counts.read
            rate = read / max(time.monotonic() - started_at, 1e-3)
            self.progress(done, len(shards), "shards", **{f"{unit}/s": round(rate)})

        recipe = {key: self._ingredients[key] for key in ("step", "version", "libraries")}
        results = map_shards(self.store, recipe, function, shards, params, self.workers, on_done)
        if cached:
            self.log(f"{cached} of {len(shards)} shards were finished before")
        for result in results:
            self._files += result.files
            self.counts.merge(result.counts)
        return [entry for result in results for entry in result.files]

    # ---- the end

    def finish(self) -> Manifest:
        """The manifest of what was added.

        Raises:
            ValueError: when the step produced nothing, with its funnel.
        """
        if not self._files:
            raise ValueError(f"{self.label} produced nothing: {self.counts}")
        return Manifest(
            step=self.step,
            version=self._ingredients["version"],
            label=self.label,
            recipe=self.recipe,
            digest=content_digest(self._files),
            ingredients=self._ingredients,
            files=self._files,
            counts=self.counts,
            seconds=round(time.monotonic() - self._started_at, 3),
            libraries=self._ingredients["libraries"],
            created_at=now(),
        )
