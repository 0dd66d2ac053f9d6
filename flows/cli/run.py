"""`crawl2chat run` and `crawl2chat plan`."""

import os
import signal
import threading
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

from cyclopts import Parameter
from rich.console import Console

from flows.cli.common import (
    DEFAULT_STORE,
    EXIT_INTERRUPTED,
    ApiOption,
    JsonOption,
    RunError,
    StoreOption,
    UserError,
    open_store,
    print_json,
    print_table,
)
from flows.cli.ending import explain_failure, print_ending
from pipeline_config.schedules import FlowName

if TYPE_CHECKING:
    from flows.knobs import RunKnobs
    from flows.progress import TerminalReporter
    from storage.store import Store

INTERRUPT_SECONDS = 1.5

FlowArgument = Annotated[FlowName, Parameter(help="Which flow.")]
PresetOption = Annotated[
    str, Parameter(help="Where all settings come from: a preset's name or the path of a YAML file.")
]
SetOption = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        negative="",
        show_default=False,
        help="KEY=VALUE changes one setting, such as dedup.num_bands=20; repeatable.",
    ),
]
LimitOption = Annotated[
    int, Parameter(help="Documents per source, for a trial run of any flow; 0: all.")
]
SeedOption = Annotated[int, Parameter(help="Seed of every stage; -1: as the preset has it.")]
RefreshOption = Annotated[
    bool, Parameter(negative="", help="Capture the sources again, as of today.")
]
WorkersOption = Annotated[int, Parameter(help="Worker processes; 0: one for each core.")]


def run(
    flow: FlowArgument = "crawl-to-chat",
    /,
    *,
    preset: PresetOption = "demo",
    set_: SetOption = (),
    limit: LimitOption = 0,
    seed: SeedOption = -1,
    refresh: RefreshOption = False,
    workers: WorkersOption = 0,
    api: ApiOption = "",
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Run a flow. What is in the store already is not computed again."""
    knobs, overrides = _checked(preset, set_, limit, seed, refresh, workers)
    opened = open_store(store)
    from flows.output import new_log, output_to
    from flows.progress import terminal_reporter

    log = new_log(opened.side / "logs", flow)
    console = Console(highlight=False)
    console.print(f"[bold]{flow}[/]  preset {preset}  store {opened.url}", soft_wrap=True)
    with output_to(log) as real:
        console = Console(file=real, highlight=False, force_terminal=console.is_terminal or None)
        reporter = terminal_reporter(console)
        signal.signal(signal.SIGINT, lambda *_: _interrupt(opened, reporter, console))
        try:
            _run(flow, knobs, overrides, opened, api, console, reporter)
        except KeyboardInterrupt:
            _leave(opened, reporter, console)
        except Exception as error:
            raise RunError(explain_failure(error, reporter, log)) from error
        print_ending(console, opened, reporter)


def _run(
    flow: FlowName,
    knobs: "RunKnobs",
    overrides: dict[str, object],
    store: "Store",
    api: str,
    console: Console,
    reporter: "TerminalReporter",
) -> None:
    from flows.runner import STORE_VARIABLE, reporting_to
    from flows.server import existing_server, prefect_server

    os.environ[STORE_VARIABLE] = store.url
    home = store.side / "server"
    with existing_server(api, home) if api else prefect_server(home) as server:
        with console.status("starting the Prefect server"):
            from flows.prefect_flows import PREFECT_FLOWS  # imports Prefect, 2 s, meanwhile

            server.wait_until_healthy()
        try:
            with reporter, reporting_to(reporter):
                PREFECT_FLOWS[flow](run=knobs, overrides=overrides)
        finally:
            if reporter.record is not None:
                server.wait_until_recorded(reporter.record.prefect_id)


def _checked(
    preset: str, sets: tuple[str, ...], limit: int, seed: int, refresh: bool, workers: int
) -> tuple["RunKnobs", dict[str, object]]:
    """The parameters of a run, after all settings have been checked.

    Raises:
        UserError: for anything wrong with them, in one line.
    """
    from pydantic import ValidationError

    from flows.knobs import RunKnobs
    from pipeline_config.load import ConfigError, load_for_run, parse_overrides

    try:
        knobs = RunKnobs(preset=preset, limit=limit, seed=seed, refresh=refresh, workers=workers)
        load_for_run(preset, sets)  # names a wrong key as the user wrote it
        overrides = parse_overrides(sets)
        knobs.configure(overrides)
    except ValidationError as error:
        raise UserError(_wrong_knob(error.errors()[0])) from None
    except ConfigError as error:
        raise UserError(str(error)) from None
    return knobs, overrides


def _wrong_knob(error: Any) -> str:
    """As for a setting: `--limit -5: must be greater than or equal to 0`."""
    text = str(error["msg"]).replace("Input should be", "must be", 1)
    return f"--{error['loc'][0]} {error['input']}: {text}"


def _interrupt(store: "Store", reporter: "TerminalReporter", console: Console) -> NoReturn:
    """Ctrl-C: the run may record that it ended, but nobody waits for a step deep in its work."""
    timer = threading.Timer(INTERRUPT_SECONDS, _leave, (store, reporter, console))
    timer.daemon = True
    timer.start()
    signal.signal(signal.SIGINT, lambda *_: _leave(store, reporter, console))  # a second one
    raise KeyboardInterrupt


def _leave(store: "Store", reporter: "TerminalReporter", console: Console) -> NoReturn:
    from storage.runs import now, write_run

    reporter.close()
    record = reporter.record
    if record is not None and not record.ended_at:  # its thread is too deep in a step to say so
        record.status, record.ended_at = "interrupted", now()
        write_run(store, record)
    console.print("Interrupted. The same command goes on where this one stopped.")
    console.file.flush()
    os._exit(EXIT_INTERRUPTED)


def plan(
    flow: FlowArgument = "crawl-to-chat",
    /,
    *,
    preset: PresetOption = "demo",
    set_: SetOption = (),
    limit: LimitOption = 0,
    seed: SeedOption = -1,
    refresh: RefreshOption = False,
    json: JsonOption = False,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Show what a run would do: every step, whether it is cached, and why not."""
    knobs, overrides = _checked(preset, set_, limit, seed, refresh, workers=0)
    from flows.catalog import compose_of
    from storage.session import InputError, planning

    config = knobs.configure(overrides)
    with planning(open_store(store), flow=flow, preset=preset) as planned:
        try:
            compose_of(flow)(config)
        except InputError as error:
            raise UserError(str(error)) from None
    rows = planned.rows
    if json:
        print_json([row.model_dump() for row in rows])
        return
    from flows.words import duration

    expected = {row.name: row.seconds for row in rows if row.state != "cached" and row.seconds}
    print_table(
        ["step", "state", ">expected", "why"],
        [
            (
                row.name,
                row.state,
                duration(expected[row.name]) if row.name in expected else "",
                row.why,
            )
            for row in rows
        ],
    )
    number = {
        state: sum(row.state == state for row in rows) for state in ("cached", "run", "maybe")
    }
    time = f"; about {duration(sum(expected.values()))} if all of it runs" if expected else ""
    Console(highlight=False).print(
        f"\n{number['cached']} cached, {number['run']} to run, {number['maybe']} maybe{time}"
    )
