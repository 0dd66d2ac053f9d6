"""Serves every flow as a deployment: runs start from the dashboard, its API, or a schedule.

`python -m flows.serve PRESET READY_FD` is the process that `crawl2chat up` keeps: it registers the
deployments, polls for runs that are due, and runs each as a child process. It ends when its
standard input closes.
"""

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

from flows.catalog import DESCRIPTIONS, FLOW_NAMES
from flows.knobs import RunKnobs
from flows.lifeline import end_with_stdin
from flows.runner import PAGES_VARIABLE, store_url
from pipeline_config.load import load_config
from pipeline_config.schedules import FlowName, Schedule
from storage.runs import is_alive, list_runs, write_run
from storage.store import Store

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient, SyncPrefectClient
    from prefect.client.schemas.objects import State
    from prefect.deployments.runner import RunnerDeployment
    from prefect.runner import Runner

DEPLOYMENT = "default"
MAX_RUNS_AT_ONCE = 4
KILLED = "its process was killed"


async def deployment(
    name: FlowName, preset: str, schedule: Schedule | None, pages_url: str
) -> "RunnerDeployment":
    """The deployment of one flow, with its schedule if the preset has one."""
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType

    from flows.prefect_flows import PREFECT_FLOWS

    schedules = []
    if schedule is not None:
        parameters: dict[str, Any] = {
            "run": RunKnobs(preset=preset, refresh=schedule.refresh).model_dump(),
            "overrides": schedule.overrides,
        }
        schedules.append(
            Cron(schedule.cron, timezone=schedule.timezone, parameters=parameters, slug="preset")
        )
    return await PREFECT_FLOWS[name].ato_deployment(
        name=DEPLOYMENT,
        description=_description(name, pages_url),
        parameters={"run": RunKnobs(preset=preset).model_dump(), "overrides": {}},
        schedules=schedules,
        tags=["crawl2chat"],
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def _description(name: FlowName, pages_url: str) -> str:
    """What the deployment's page says; artifacts have no entry in the dashboard's menu."""
    links = "[All summaries](/v2/artifacts)"
    if pages_url:
        links += f" · [All reports]({pages_url})"
    return (
        f"{DESCRIPTIONS[name]}\n\n**Run → Custom run** shows the form; its defaults run the "
        f"preset. What is in the store already is not computed again.\n\n{links}"
    )


def reconcile(store: Store, client: "SyncPrefectClient") -> list[str]:
    """Marks runs whose process is dead as crashed, here and on the dashboard; returns their names.

    A killed process cannot say that it ended, and the server alone would show `Running` for ever.
    Only the one process that serves the store may call this, before it starts runs of its own.
    """
    from prefect.client.schemas.filters import FlowRunFilter
    from prefect.states import Crashed

    records = {record.prefect_id: record for record in list_runs(store)}
    for record in records.values():
        if record.status == "running" and not is_alive(store, record.id):
            record.status, record.error = "crashed", KILLED
            write_run(store, record)
    unfinished = FlowRunFilter.model_validate(
        {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}
    )
    found = []
    for flow_run in client.read_flow_runs(flow_run_filter=unfinished):
        ours = records.get(str(flow_run.id))
        if ours is not None and is_alive(store, ours.id):
            continue
        if ours is None and flow_run.deployment_id is None:
            continue  # a command of somebody that has no record yet
        crashed: State[Any] = Crashed(message=KILLED)
        client.set_flow_run_state(flow_run.id, crashed, force=True)
        found.append(flow_run.name)
    return found


async def register(preset: str) -> "Runner":
    """A runner with every flow deployed."""
    from prefect.runner import Runner

    schedules = load_config(preset).schedules
    pages_url = os.environ.get(PAGES_VARIABLE, "")
    # Schedules stay active over a restart: `up` is what makes them fire.
    runner = Runner(name="crawl2chat", limit=MAX_RUNS_AT_ONCE, pause_on_shutdown=False)
    for name in FLOW_NAMES:
        made = await deployment(name, preset, schedules.get(name), pages_url)
        await runner.aadd_deployment(made)
    return runner


async def wait_until_polled(client: "PrefectClient", seconds: float = 60.0) -> None:
    """Returns when the server has heard of the first poll, and calls every deployment ready.

    Until then it writes much, and SQLite may turn a new run away with `database is locked` (a 503).
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        found = await client.read_deployments()
        served = [one for one in found if one.name == DEPLOYMENT]
        if served and all(one.status is not None and one.status.value == "READY" for one in served):
            return
        await asyncio.sleep(0.2)


async def serve(preset: str, ready: int) -> None:
    """Registers all deployments and runs what is due, until standard input closes.

    The descriptor `ready` gets one line: `ready`, or why not.
    """
    from prefect import get_client

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    end_with_stdin(lambda: loop.call_soon_threadsafe(stopping.set))
    with os.fdopen(ready, "w") as answer:
        try:
            runner = await register(preset)
        except Exception as error:
            answer.write(f"{type(error).__name__}: {' '.join(str(error).split())}\n")
            raise
        polling = asyncio.create_task(runner.start())
        async with get_client() as client:
            await wait_until_polled(client)
        answer.write("ready\n")
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait({polling, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not polling.done():
        await runner.astop()  # ends the runs that go on, and tells the server so
    await polling


def main() -> None:
    """The serving process."""
    from prefect import get_client

    with get_client(sync_client=True) as client:
        for run in reconcile(Store(store_url()), client):
            print(f"run {run} was killed; marked as crashed", flush=True)
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))


if __name__ == "__main__":
    main()
