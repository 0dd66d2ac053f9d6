"""Run records, moving references, and the pointers that let `plan` say what changed.

runs/<id>.json               one per run: config, each step's recipe, digest, cached or not
refs/current/chat.json       moves when a run's gates pass; holds where it pointed before
latest/<scope>/<label>.json  the last recipe of a step in a preset's flow
"""

import contextlib
import datetime as dt
import fcntl
import secrets
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, Field

from storage.artifact import ArtifactRef, Counts
from storage.store import Store, StoreError

# interrupted: by Ctrl-C, or cancelled on the dashboard; crashed: its process was killed
Status = Literal["running", "completed", "failed", "interrupted", "crashed"]


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


class StepRun(BaseModel):
    """What became of one step in one run."""

    label: str
    step: str
    recipe: str
    status: Literal["running", "cached", "executed", "failed"] = "running"
    digest: str = ""
    seconds: float = 0.0
    counts: Counts = Field(default_factory=Counts)
    error: str = ""


class RunRecord(BaseModel):
    """One run of a flow."""

    id: str
    flow: str
    preset: str
    config: dict[str, Any] = Field(description="the full configuration it ran with")
    status: Status = "running"
    started_at: str
    ended_at: str = ""
    prefect_id: str = ""
    steps: list[StepRun] = Field(default_factory=list)
    promoted: list[str] = Field(default_factory=list, description="references that it moved")
    standing: list[str] = Field(
        default_factory=list, description="its corpus and model beside the current ones"
    )
    notes: list[str] = Field(default_factory=list, description="such as gates that did not pass")
    error: str = ""

    @property
    def executed(self) -> int:
        """How many steps did work."""
        return sum(step.status == "executed" for step in self.steps)

    @property
    def cached(self) -> int:
        """How many steps were found in the store."""
        return sum(step.status == "cached" for step in self.steps)

    def artifact(self, label: str) -> ArtifactRef | None:
        """The handle that step `label` of this run gave."""
        for step in self.steps:
            if step.label == label and step.digest:
                return ArtifactRef(step=step.step, recipe=step.recipe, digest=step.digest)
        return None


def new_run_id() -> str:
    """A name that sorts by time, to the microsecond: `20261121-034512-123456-1f`."""
    return f"{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(1)}"


def write_run(store: Store, run: RunRecord) -> None:
    """Saves a run's record in its present state."""
    value = run.model_dump(mode="json") | {"executed": run.executed, "cached": run.cached}
    store.write_json(f"runs/{run.id}.json", value)


def read_run(store: Store, run_id: str = "") -> RunRecord:
    """A run by its id or a unique beginning of it; the latest without one."""
    known = [path.removeprefix("runs/").removesuffix(".json") for path in store.list_json("runs")]
    found = [name for name in known if name.startswith(run_id)]
    if not found:
        detail = f"no run {run_id!r}" if run_id else "no run yet"
        raise StoreError(f"{detail} in {store.url}; `crawl2chat runs list` shows those there are")
    if run_id and len(found) > 1 and run_id not in found:
        raise StoreError(f"{run_id!r} begins {len(found)} runs; give more of its name")
    name = run_id if run_id in found else found[-1]
    return RunRecord.model_validate(_without_sums(store.read_json(f"runs/{name}.json") or {}))


def list_runs(store: Store) -> list[RunRecord]:
    """All runs, oldest first."""
    values = (store.read_json(path) for path in store.list_json("runs"))
    return [RunRecord.model_validate(_without_sums(value)) for value in values if value]


def _without_sums(value: dict[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key not in ("executed", "cached")}


@contextlib.contextmanager
def alive(store: Store, run_id: str) -> Iterator[None]:
    """Marks a run as alive; death of this process unmarks it."""
    with store.lock(f"run-{run_id}"):
        yield


def is_alive(store: Store, run_id: str) -> bool:
    """Whether a process on this machine still works on the run."""
    path = store.side / "locks" / f"run-{run_id}.lock"
    if not path.exists():
        return False
    with path.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


# ---- moving references


class Reference(BaseModel):
    """Where a name such as `current/chat` points."""

    artifact: ArtifactRef
    run: str
    moved_at: str
    previous: ArtifactRef | None = None


def move_reference(store: Store, name: str, artifact: ArtifactRef, run: str) -> None:
    """Points `name` at an artifact; moving to where it points already changes nothing."""
    old = read_reference(store, name)
    if old is not None and old.artifact == artifact:
        return
    reference = Reference(
        artifact=artifact, run=run, moved_at=now(), previous=old.artifact if old else None
    )
    store.write_json(f"refs/{name}.json", reference)


def read_reference(store: Store, name: str) -> Reference | None:
    """Where `name` points, or None."""
    value = store.read_json(f"refs/{name}.json")
    return None if value is None else Reference.model_validate(value)


def list_references(store: Store) -> dict[str, Reference]:
    """All references by name."""
    found = {}
    for path in store.list_files("refs", deep=True):
        value = store.read_json(path)
        if value is not None:
            found[path.removeprefix("refs/").removesuffix(".json")] = Reference.model_validate(
                value
            )
    return found


# ---- the last recipe of a step, for `plan`


def write_latest(store: Store, scope: str, label: str, step: str, recipe: str) -> None:
    """Remembers what `label` was built from the last time in this scope (flow and preset)."""
    path = f"latest/{scope}/{label.replace('/', '--')}.json"
    value = {"step": step, "recipe": recipe}
    if store.read_json(path) != value:
        store.write_json(path, value)


def read_latest(store: Store, scope: str, label: str) -> dict[str, str] | None:
    """The step and recipe that `label` had the last time, or None."""
    value: dict[str, str] | None = store.read_json(
        f"latest/{scope}/{label.replace('/', '--')}.json"
    )
    return value


def labels_built(store: Store) -> frozenset[str]:
    """The labels that were built in any scope."""
    names = (path.rpartition("/")[2] for path in store.list_files("latest", deep=True))
    return frozenset(name.removesuffix(".json").replace("--", "/") for name in names)
