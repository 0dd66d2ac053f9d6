"""What surrounds steps: a session that runs them and records it, or a plan that only asks.

Both live in context variables, so that the same flow code runs and plans, and threads that Prefect
starts for tasks see the session of their flow.
"""

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from storage.artifact import ArtifactRef
from storage.runs import RunRecord, StepRun, alive, labels_built, new_run_id, now, write_run
from storage.store import Store


class Reporter(Protocol):
    """Who shows a run while it works; every method may be called from several threads."""

    def step_started(self, label: str) -> None:
        """A step begins to look for its artifact."""

    def step_progress(
        self, label: str, done: int, total: int, unit: str, figures: dict[str, Any]
    ) -> None:
        """A step got on; `total` is 0 when unknown."""

    def step_finished(self, step: StepRun) -> None:
        """A step was cached, executed or failed."""

    def log(self, label: str, message: str) -> None:
        """A step has something to say."""


class Silent:
    """A reporter that shows nothing."""

    def step_started(self, label: str) -> None:
        """Nothing."""

    def step_progress(
        self, label: str, done: int, total: int, unit: str, figures: dict[str, Any]
    ) -> None:
        """Nothing."""

    def step_finished(self, step: StepRun) -> None:
        """Nothing."""

    def log(self, label: str, message: str) -> None:
        """Nothing."""


@dataclass
class Session:
    """One run of a flow over a store."""

    store: Store
    record: RunRecord
    workers: int
    reporter: Reporter
    through_prefect: bool
    handles: dict[str, ArtifactRef] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def scope(self) -> str:
        """Runs of the same flow and preset compare with each other."""
        return scope_of(self.record.flow, self.record.preset)

    def begin(self, label: str, step: str, recipe: str) -> StepRun:
        """Notes that a step begins."""
        entry = StepRun(label=label, step=step, recipe=recipe)
        with self._lock:
            self.record.steps = [s for s in self.record.steps if s.label != label] + [entry]
        self.reporter.step_started(label)
        return entry

    def end(self, entry: StepRun, handle: ArtifactRef | None = None) -> None:
        """Notes how a step ended, in the run's record too; `handle` is what it gave."""
        with self._lock:
            if handle is not None:
                self.handles[entry.label] = handle
            write_run(self.store, self.record)
        self.reporter.step_finished(entry)


_session: ContextVar[Session | None] = ContextVar("session", default=None)


def current_session() -> Session:
    """The session of the running flow.

    Raises:
        RuntimeError: outside a session.
    """
    found = _session.get()
    if found is None:
        raise RuntimeError("steps run inside `with session(...)`; use `crawl2chat run`")
    return found


def scope_of(flow: str, preset: str) -> str:
    """The folder of a flow's and preset's pointers; a preset given as a path becomes its name."""
    return f"{flow}--{preset.replace('/', '-').removesuffix('.yaml')}"


@contextlib.contextmanager
def session(
    store: Store,
    *,
    flow: str,
    preset: str,
    config: BaseModel,
    workers: int,
    reporter: Reporter | None = None,
    through_prefect: bool = True,
) -> Iterator[Session]:
    """Runs steps and leaves `runs/<id>.json`, whatever happens inside.

    `through_prefect=False` calls steps directly: for tests of stages, which need no server.
    """
    record = RunRecord(
        id=new_run_id(),
        flow=flow,
        preset=preset,
        config=config.model_dump(mode="json"),
        started_at=now(),
    )
    current = Session(store, record, workers, reporter or Silent(), through_prefect)
    token = _session.set(current)
    with alive(store, record.id):
        write_run(store, record)
        try:
            yield current
            record.status = "completed"
        except BaseException as error:
            # Not an Exception: Ctrl-C, or cancelled on the dashboard. A crash tells nobody.
            record.status = "failed" if isinstance(error, Exception) else "interrupted"
            record.error = str(error).strip() or type(error).__name__
            raise
        finally:
            record.ended_at = now()
            write_run(store, record)
            _session.reset(token)


# ---- planning


class PlanRow(BaseModel):
    """What a run would do with one step."""

    name: str
    state: Literal["cached", "run", "maybe"]
    why: str = ""
    seconds: float | None = None  # of its last build; None when it was never built


class InputError(ValueError):
    """A step's outside input cannot be named: a file is missing, a data set unknown."""


class PlanError(Exception):
    """Flow code did something that cannot be planned."""


@dataclass(frozen=True)
class Planned:
    """A handle and a future at once, while planning; `digest` is empty when unknown."""

    step: str
    label: str
    digest: str
    recipe: str

    def result(self) -> "Planned":
        """Itself: planning waits for nothing."""
        return self

    def __getattr__(self, name: str) -> Any:
        """Refuses: the artifact does not exist yet."""
        if name.startswith("__"):
            raise AttributeError(name)
        raise PlanError(
            f"flow code reads {self.label}.{name} before it exists; move that into a step"
        )


Handle = ArtifactRef | Planned


@dataclass
class Planning:
    """The rows gathered while a flow is planned."""

    store: Store
    scope: str
    rows: list[PlanRow] = field(default_factory=list)
    handles: dict[str, Handle] = field(default_factory=dict)
    built: frozenset[str] = frozenset()  # every label that any flow has built in this store

    def add(self, row: PlanRow, handle: Planned) -> Planned:
        """Notes what a step would do, and gives its handle."""
        self.rows.append(row)
        self.handles[row.name] = handle
        return handle


_planning: ContextVar[Planning | None] = ContextVar("planning", default=None)


def current_planning() -> Planning | None:
    """The plan being made, or None when steps really run."""
    return _planning.get()


@contextlib.contextmanager
def planning(store: Store, *, flow: str, preset: str) -> Iterator[Planning]:
    """Inside, steps only say what they would do."""
    plan = Planning(store, scope_of(flow, preset), built=labels_built(store))
    token = _planning.set(plan)
    try:
        yield plan
    finally:
        _planning.reset(token)


def made_so_far() -> Mapping[str, Handle]:
    """The handles of all steps of this run, or plan, by label: what a report is made of."""
    plan = _planning.get()
    return dict(plan.handles if plan is not None else current_session().handles)


def adopt(label: str, ref: ArtifactRef | None) -> ArtifactRef | None:
    """Takes what an earlier run made for this one's own `label`, so that reports show it too."""
    if ref is not None:
        plan = _planning.get()
        (plan.handles if plan is not None else current_session().handles)[label] = ref
    return ref


def current_store() -> Store:
    """The store of this run, or plan: for references that a flow resolves before it begins."""
    plan = _planning.get()
    return plan.store if plan is not None else current_session().store


class Throttle:
    """Lets a call through at most once in `seconds`."""

    def __init__(self, seconds: float) -> None:
        """The first call passes."""
        self.seconds = seconds
        self._next = 0.0

    def ready(self) -> bool:
        """Whether it is time again."""
        now_ = time.monotonic()
        if now_ < self._next:
            return False
        self._next = now_ + self.seconds
        return True
