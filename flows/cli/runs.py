"""`crawl2chat runs`: what ran, what it did, and how two runs differ."""

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from flows.cli.common import (
    DEFAULT_STORE,
    JsonOption,
    StoreOption,
    existing_store,
    print_json,
    print_table,
    stdout,
)

if TYPE_CHECKING:
    from storage.runs import RunRecord, StepRun
    from storage.store import Store

RunArgument = Annotated[str, Parameter(help="Run id or its beginning; the latest if left out.")]


def list_runs(
    *,
    limit: Annotated[int, Parameter(help="How many of the latest runs.")] = 20,
    json: JsonOption = False,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """List the runs of a store, the latest last."""
    from storage import runs

    opened = existing_store(store)
    records = [_settled(opened, record) for record in runs.list_runs(opened)][-limit:]
    if json:
        print_json([_as_json(record) for record in records])
        return
    print_table(
        ["run", "flow", "preset", "status", ">ran", ">cached", ">time"],
        [
            (
                record.id,
                record.flow,
                record.preset,
                record.status,
                str(record.executed),
                str(record.cached),
                _time(record),
            )
            for record in records
        ],
    )


def show_run(
    run: RunArgument = "", /, *, json: JsonOption = False, store: StoreOption = DEFAULT_STORE
) -> None:
    """Show one run: its steps, what they counted, and its report."""
    from flows.words import duration, outcome

    opened = existing_store(store)
    record = _read(opened, run)
    if json:
        print_json(_as_json(record))
        return
    out = stdout()
    out.print(f"[bold]{record.id}[/]  {record.flow}  preset {record.preset}  {record.status}")
    out.print(f"{record.executed} executed, {record.cached} cached  {_time(record)}\n")
    print_table(
        ["step", "state", ">time", "records"],
        [
            (
                step.label,
                "stopped" if step.status == "running" != record.status else step.status,
                duration(step.seconds) if step.status == "executed" else "",
                "" if step.status == "cached" else outcome(step),
            )
            for step in record.steps
        ],
    )
    for name in record.promoted:
        out.print(f"promoted {name}")
    for line in record.standing:
        out.print(line, markup=False, soft_wrap=True)
    for note in record.notes:
        out.print(f"note: {note}", markup=False)


def diff_runs(
    first: Annotated[str, Parameter(help="Run id or its beginning.")],
    second: RunArgument = "",
    /,
    *,
    json: JsonOption = False,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Show how two runs differ: settings, and what steps counted whose content is another."""
    opened = existing_store(store)
    one, two = _read(opened, first), _read(opened, second)
    settings = _different(_flat(one.config), _flat(two.config))
    steps = _changed_steps(one, two)
    if json:
        print_json(
            {
                "runs": [one.id, two.id],
                "settings": {key: list(values) for key, values in settings.items()},
                "steps": steps,
            }
        )
        return
    if settings:
        print_table(
            ["setting", one.id, two.id],
            [(key, _short(a), _short(b)) for key, (a, b) in settings.items()],
        )
        stdout().print()
    if steps:
        stdout().print(f"steps from {one.id} to {two.id}", soft_wrap=True)
        print_table(
            ["step", "kept", "counted otherwise"],
            [(label, _pair(*change["kept"]), _changes(change)) for label, change in steps.items()],
        )
    if not settings and not steps:
        stdout().print(
            f"{one.id} and {two.id} had equal settings and equal results", soft_wrap=True
        )


def _changed_steps(one: "RunRecord", two: "RunRecord") -> dict[str, dict[str, Any]]:
    """The steps that are not the same, each with its pairs: content, counts, counts by reason."""
    ours, theirs = ({step.label: step for step in run.steps} for run in (one, two))
    changed = {}
    for label in [*ours, *(label for label in theirs if label not in ours)]:
        a, b = ours.get(label), theirs.get(label)
        if _content(a) == _content(b):
            continue
        pairs: dict[str, Any] = {"content": [_content(a), _content(b)]}
        for key in ("read", "kept", "edited"):
            pairs[key] = [getattr(step.counts, key) if step else None for step in (a, b)]
        dropped = [step.counts.dropped if step else {} for step in (a, b)]
        reasons = sorted(dropped[0].keys() | dropped[1].keys())
        pairs["dropped"] = {key: [found.get(key, 0) for found in dropped] for key in reasons}
        changed[label] = pairs
    return changed


def _content(step: "StepRun | None") -> str:
    return (step.digest[:12] or step.status) if step else ""


def _pair(before: int | None, after: int | None) -> str:
    """A count in both runs, once if it is the same; nothing where neither counted."""
    if before == after:
        return f"{after:,}" if after else ""
    return " -> ".join("-" if number is None else f"{number:,}" for number in (before, after))


def _changes(change: dict[str, Any]) -> str:
    """What differs beside the number kept: other counts, the greatest change first."""
    before, after = change["content"]
    if not before or not after:
        return "only in the second" if after else "only in the first"
    words = [content for content in (before, after) if content in ("failed", "running")]
    pairs = {key: change[key] for key in ("read", "edited")} | change["dropped"]
    moved = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
    ordered = sorted(moved, key=lambda key: -abs(moved[key][1] - moved[key][0]))
    words += [f"{key} {_pair(*moved[key])}" for key in ordered]
    if words or change["kept"][0] != change["kept"][1]:
        return ", ".join(words)
    return "nothing; its content is another"


def _read(store: "Store", run: str) -> "RunRecord":
    from storage.runs import read_run

    return _settled(store, read_run(store, run))


def _settled(store: "Store", record: "RunRecord") -> "RunRecord":
    """The record; a run whose process was killed did not get to say that it crashed."""
    from storage.runs import is_alive

    if record.status == "running" and not is_alive(store, record.id):
        record.status = "crashed"
    return record


def _as_json(record: "RunRecord") -> dict[str, Any]:
    return record.model_dump(mode="json") | {
        "executed": record.executed,
        "cached": record.cached,
    }


def _time(record: "RunRecord") -> str:
    import datetime as dt

    from flows.words import duration

    if not record.ended_at:
        return ""
    started, ended = map(dt.datetime.fromisoformat, (record.started_at, record.ended_at))
    return duration((ended - started).total_seconds())


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict) or (prefix and not value):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat |= _flat(item, f"{prefix}.{key}" if prefix else str(key))
    return flat


def _different(one: dict[str, Any], two: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    keys = [*one, *(key for key in two if key not in one)]
    return {
        key: (one.get(key, "-"), two.get(key, "-"))
        for key in keys
        if one.get(key, "-") != two.get(key, "-")
    }


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
