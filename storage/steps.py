"""`@step`: a function over artifacts becomes cached, planned and seen on the dashboard.

    @step("dedup", version="1", libraries=("numba",))
    def dedup(build, signatures, config): ...

    clusters = dedup(signatures, config.dedup)          # a handle; the work only if needed
    clusters = dedup.submit(signatures, config.dedup)   # a future

A step owns a Prefect task whose own cache is off: its body asks the store, so a retry from the
dashboard, a new run and another machine all see the same truth. This is the only file of storage
that imports Prefect, and only when a step really runs: planning and `--help` stay light.
"""

import inspect
from collections.abc import Callable
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

from storage.artifact import ArtifactRef, Manifest
from storage.build import Build
from storage.explain import few, why
from storage.fingerprint import fingerprint
from storage.handles import Done, by_digest, handles_in, resolve
from storage.runs import read_latest, write_latest
from storage.session import (
    InputError,
    Planned,
    Planning,
    PlanRow,
    Session,
    Throttle,
    current_planning,
    current_session,
)
from storage.store import Store, VanishedError

LOG_EVERY_SECONDS = 30.0


@lru_cache(maxsize=256)
def _library_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


class Step:
    """One step of the pipeline; call it in a flow, or `submit` it for a future."""

    def __init__(
        self,
        function: Callable[..., None],
        name: str,
        version: str,
        libraries: tuple[str, ...],
        capture: bool | Callable[..., bool],
        identity: Callable[..., Any] | None,
        facts: Callable[..., dict[str, Any]] | None,
    ) -> None:
        """See `step`."""
        self.function = function
        self.name = name
        self.version = version
        self.libraries = libraries
        self.capture = capture
        self.identity = identity
        self.facts = facts
        parameters = list(inspect.signature(function).parameters.values())[1:]
        self.signature = inspect.Signature(parameters)

    def is_reproducible(self, arguments: dict[str, Any]) -> bool:
        """Whether building again must give the same bytes: neither a capture nor a model step."""
        captures = self.capture(**arguments) if callable(self.capture) else self.capture
        return not captures and self.facts is None

    # ---- calling

    def __call__(self, *args: Any, label: str = "", **kwargs: Any) -> ArtifactRef:
        """Runs the step and waits for its handle. `label` names it when a flow has several."""
        return cast(ArtifactRef, self.submit(*args, label=label, **kwargs).result())

    def submit(self, *args: Any, label: str = "", **kwargs: Any) -> Any:
        """Starts the step; `.result()` of what it returns is the handle."""
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        full_label = f"{self.name}/{label}" if label else self.name
        plan = current_planning()
        if plan is not None:
            return self._plan(plan, bound.arguments, full_label)
        if not current_session().through_prefect:
            arguments = resolve(bound.arguments)
            return Done(self._find_or_build(current_session(), arguments, full_label)[0].ref)
        task = self._task.with_options(task_run_name=full_label.replace("/", "-"))
        return task.submit(dict(bound.arguments), full_label)

    @cached_property
    def _task(self) -> Any:
        from prefect import Task
        from prefect.cache_policies import NO_CACHE

        def body(arguments: dict[str, Any], label: str) -> Any:
            return self._run_in_task(arguments, label)

        return Task(body, name=self.name, cache_policy=NO_CACHE, persist_result=False)

    def _run_in_task(self, arguments: dict[str, Any], label: str) -> Any:
        from prefect.logging import get_run_logger
        from prefect.states import Completed

        logger = get_run_logger()
        manifest, cached = self._find_or_build(
            current_session(), arguments, label, log=lambda text: logger.info("%s: %s", label, text)
        )
        if not cached:
            logger.info("%s: %s; %.1f s", label, manifest.counts, manifest.seconds)
            return manifest.ref
        saved = f"{len(manifest.files)} files, {manifest.seconds:.1f} s saved"
        return Completed(name="Cached", message=saved, data=manifest.ref)

    # ---- the key

    def ingredients(
        self, arguments: dict[str, Any], label: str
    ) -> tuple[dict[str, Any], list[str]]:
        """What the recipe is the hash of, and the labels of inputs whose content is unknown.

        Raises:
            InputError: when an outside input cannot be named.
        """
        unknown: list[str] = []
        value: dict[str, Any] = {
            "step": self.name,
            "version": self.version,
            "libraries": {name: _library_version(name) for name in self.libraries},
            "in": {key: by_digest(item, unknown) for key, item in arguments.items()},
        }
        if self.identity is not None:
            try:
                value["identity"] = self.identity(**arguments)
            except (OSError, ValueError) as error:
                raise InputError(f"{label}: {error}") from error
        if self.facts is not None:
            value["facts"] = self.facts(**arguments)
        return value, unknown

    # ---- running

    def _find_or_build(
        self,
        session: Session,
        arguments: dict[str, Any],
        label: str,
        log: Callable[[str], None] = lambda _: None,
    ) -> tuple[Manifest, bool]:
        ingredients, _ = self.ingredients(arguments, label)
        recipe = fingerprint(ingredients)
        entry = session.begin(label, self.name, recipe)
        store = session.store
        try:
            with store.lock(f"recipe-{recipe[:32]}"):
                manifest = store.latest_manifest(self.name, recipe)
                cached = manifest is not None and not store.missing(manifest)
                if manifest is None or not cached:
                    manifest = self._build(session, arguments, label, recipe, ingredients, log)
        except BaseException as error:
            entry.status, entry.error = "failed", str(error).strip() or type(error).__name__
            if isinstance(error, VanishedError):
                _withdraw_holder(store, arguments, error.blob)
            session.end(entry)
            raise
        entry.status = "cached" if cached else "executed"
        entry.digest, entry.counts = manifest.digest, manifest.counts
        entry.seconds = 0.0 if cached else manifest.seconds
        write_latest(store, session.scope, label, self.name, recipe)
        session.end(entry, manifest.ref)
        return manifest, cached

    def _build(
        self,
        session: Session,
        arguments: dict[str, Any],
        label: str,
        recipe: str,
        ingredients: dict[str, Any],
        log: Callable[[str], None],
    ) -> Manifest:
        throttle = Throttle(LOG_EVERY_SECONDS)
        throttle.ready()  # short steps need no line in between

        def on_progress(done: int, total: int, unit: str, figures: dict[str, Any]) -> None:
            session.reporter.step_progress(label, done, total, unit, figures)
            if throttle.ready():
                shown = ", ".join(f"{key} {value}" for key, value in figures.items())
                log(f"{done} of {total or '?'} {unit} {shown}".strip())

        def on_log(message: str) -> None:
            session.reporter.log(label, message)
            log(message)

        with session.store.scratch() as scratch:
            build = Build(
                store=session.store,
                label=label,
                recipe=recipe,
                ingredients=ingredients,
                workers=session.workers,
                scratch=scratch,
                on_progress=on_progress,
                on_log=on_log,
            )
            self.function(build, **arguments)
            manifest = session.store.commit(build.finish())
        session.store.discard_work(recipe)
        return manifest

    # ---- planning

    def _plan(self, plan: Planning, arguments: dict[str, Any], label: str) -> Planned:
        ingredients, unknown = self.ingredients(arguments, label)
        recipe = fingerprint(ingredients)
        last = _last_manifest(plan, label)
        seconds = last.seconds if last else None
        if unknown and label not in plan.built:  # nobody has a build of it that could still fit
            row = PlanRow(name=label, state="run", why="never built")
            return plan.add(row, Planned(self.name, label, "", ""))
        if unknown:
            reason = "unless unchanged: " + few(list(dict.fromkeys(unknown)))
            row = PlanRow(name=label, state="maybe", why=reason, seconds=seconds)
            return plan.add(row, Planned(self.name, label, "", ""))
        manifest = plan.store.latest_manifest(self.name, recipe)
        gone = plan.store.missing(manifest) if manifest else []
        if manifest and not gone:
            row = PlanRow(name=label, state="cached", seconds=manifest.seconds)
            return plan.add(row, Planned(self.name, label, manifest.digest, recipe))
        reason = f"{len(gone)} blobs gone" if gone else why(ingredients, last)
        row = PlanRow(name=label, state="run", why=reason, seconds=seconds)
        known = manifest.digest if manifest and self.is_reproducible(arguments) else ""
        return plan.add(row, Planned(self.name, label, known, recipe))


def step(
    name: str,
    *,
    version: str,
    libraries: tuple[str, ...] = (),
    capture: bool | Callable[..., bool] = False,
    identity: Callable[..., Any] | None = None,
    facts: Callable[..., dict[str, Any]] | None = None,
) -> Callable[[Callable[..., None]], Step]:
    """Makes a step of `function(build, *inputs)`.

    Args:
        name: the step's name in plans, manifests and on the dashboard.
        version: raise it by hand when the output changes for equal inputs.
        libraries: distributions whose version changes the output.
        capture: it reads the outside world, so its first result is kept; or says of the same
            arguments whether it does.
        identity: names outside inputs (file digests, this Python) from the same arguments.
        facts: what a model's bytes depend on (threads, dtype, device) from the same arguments.
    """

    def decorate(function: Callable[..., None]) -> Step:
        return Step(function, name, version, libraries, capture, identity, facts)

    return decorate


def _withdraw_holder(store: Store, arguments: dict[str, Any], blob: str) -> None:
    for handle in handles_in(arguments):
        generations = store.manifests(handle.step, handle.recipe)
        if any(entry.blob == blob for manifest in generations for entry in manifest.files):
            store.withdraw(handle.step, handle.recipe)


def _last_manifest(plan: Planning, label: str) -> Manifest | None:
    latest = read_latest(plan.store, plan.scope, label)
    return plan.store.latest_manifest(latest["step"], latest["recipe"]) if latest else None
