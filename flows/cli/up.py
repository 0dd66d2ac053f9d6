"""`crawl2chat up`."""

from typing import Annotated

from cyclopts import Parameter

from flows.cli.common import (
    DEFAULT_STORE,
    ApiOption,
    RunError,
    StoreOption,
    UserError,
    open_store,
    stdout,
)
from flows.cli.run import PresetOption
from pipeline_config.schedules import Schedule


def up(
    *,
    preset: PresetOption = "demo",
    port: Annotated[int, Parameter(help="Of the dashboard.")] = 4200,
    pages_port: Annotated[int, Parameter(help="Of the reports; 0: any free one.")] = 0,
    pages_host: Annotated[
        str, Parameter(help="Address that the reports are served on; in a container 0.0.0.0.")
    ] = "127.0.0.1",
    pages_url: Annotated[
        str,
        Parameter(
            env_var="CRAWL2CHAT_PAGES_URL",
            help="How a browser reaches the reports, if not by that address and port.",
        ),
    ] = "",
    api: ApiOption = "",
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Start the dashboard and serve every flow, with the preset's schedules; Ctrl-C ends all."""
    from flows.server import existing_server, prefect_server
    from flows.up import only_one, serving, serving_log, wait_for_signal_or_end, wait_until_gone
    from pipeline_config.load import ConfigError, load_config, preset_names, preset_path

    try:
        preset = preset if preset in preset_names() else str(preset_path(preset).absolute())
        config = load_config(preset)
    except ConfigError as error:
        raise UserError(str(error)) from None
    opened = open_store(store)
    home = opened.side / "server"
    out = stdout()
    with only_one(opened):
        with existing_server(api, home) if api else prefect_server(home, port) as server:
            with out.status("starting the Prefect server"):
                server.wait_until_healthy()
            with (
                out.status("starting to serve the flows") as status,
                serving(
                    opened,
                    server,
                    preset,
                    pages_host=pages_host,
                    pages_port=pages_port,
                    pages_url=pages_url,
                ) as (addresses, process),
            ):
                schedules = [
                    f"schedule   {name}: {when.cron} ({when.timezone}), next {_next(when)}"
                    for name, when in config.schedules.items()
                ]
                status.stop()
                lines = [
                    f"preset     {preset}",
                    f"dashboard  {addresses.dashboard}",
                    f"run        {addresses.dashboard}/deployments",
                    f"summaries  {addresses.dashboard}/artifacts",
                    f"reports    {addresses.pages}",
                    f"log        {serving_log(opened)}",
                ]
                out.print(
                    "\n".join([*lines, *schedules, "Ctrl-C ends everything."]), soft_wrap=True
                )
                if not wait_for_signal_or_end(process):
                    raise RunError(f"the serving process ended; see {serving_log(opened)}")
                out.print("stopping")
        if not api and not wait_until_gone(home):
            out.print("another command still uses the Prefect server; it ends with that one")


def _next(schedule: Schedule) -> str:
    """When a schedule fires next, as Prefect computes it, on its own clock."""
    import asyncio

    from prefect.server.schemas.schedules import CronSchedule

    cron = CronSchedule(cron=schedule.cron, timezone=schedule.timezone)
    (date,) = asyncio.run(cron.get_dates(1))
    return f"{date:%Y-%m-%d %H:%M}"
