"""`up`: runs from the dashboard and from schedules, and an end that leaves nothing behind."""

import asyncio
import datetime as dt
import json
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from command_line import DEADLINE, CommandLine, processes_about, wait_for
from pydantic import BaseModel

from flows.catalog import FLOW_NAMES
from flows.cli.up import _next
from flows.serve import deployment, reconcile
from pipeline_config.schedules import Schedule
from storage.runs import list_runs, read_run
from storage.session import session
from storage.store import Store

END_SECONDS = 15.0
FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


# ---- deployments


def test_every_flow_becomes_a_deployment_that_can_be_imported() -> None:
    import flows.prefect_flows

    for name in FLOW_NAMES:
        made = asyncio.run(deployment(name, "demo", None, "http://127.0.0.1:1"))
        assert (made.flow_name, made.name, made.schedules) == (name, "default", [])
        module, _, variable = str(made.entrypoint).rpartition(".")
        assert module == "flows.prefect_flows"
        assert getattr(flows.prefect_flows, variable).name == name
        assert made.parameters["run"]["preset"] == "demo"
        assert "http://127.0.0.1:1" in str(made.description)


def test_next_time_of_a_schedule_is_told_on_its_own_clock() -> None:
    monthly = Schedule(cron="0 3 1 * *", timezone="Europe/Berlin")
    assert re.fullmatch(r"\d{4}-\d\d-01 03:00", _next(monthly))


def test_schedule_of_the_preset_captures_again() -> None:
    schedule = Schedule(
        cron="0 3 1 * *", timezone="Europe/Berlin", overrides={"dedup.num_bands": 20}
    )
    made = asyncio.run(deployment("refresh-corpus", "small", schedule, ""))
    (only,) = made.schedules
    assert only.schedule.cron == "0 3 1 * *"
    assert only.schedule.timezone == "Europe/Berlin"
    assert only.parameters["run"]["preset"] == "small"
    assert only.parameters["run"]["refresh"] is True
    assert only.parameters["overrides"] == {"dedup.num_bands": 20}


# ---- runs whose process is dead


class Client:
    """The two calls of Prefect's client that `reconcile` makes."""

    def __init__(self, *flow_runs: SimpleNamespace) -> None:
        self.flow_runs = flow_runs
        self.crashed: list[UUID] = []

    def read_flow_runs(self, flow_run_filter: Any) -> tuple[SimpleNamespace, ...]:
        assert set(flow_run_filter.state.type.any_) == {"PENDING", "RUNNING", "CANCELLING"}
        return self.flow_runs

    def set_flow_run_state(self, flow_run_id: UUID, state: Any, force: bool) -> None:
        assert state.is_crashed()
        assert force
        self.crashed.append(flow_run_id)


class NoConfig(BaseModel):
    pass


def test_dead_runs_are_marked_and_live_ones_are_not(store: Store) -> None:
    live, dead, young, submitted = (
        SimpleNamespace(id=uuid4(), name=name, deployment_id=deployment_id)
        for name, deployment_id in (
            ("live", uuid4()),
            ("dead", None),
            ("young", None),  # a command that has no record yet
            ("submitted", uuid4()),  # killed before it had one
        )
    )
    options: dict[str, Any] = {"flow": "f", "preset": "p", "config": NoConfig(), "workers": 1}
    with session(store, **options, through_prefect=False) as killed:
        killed.record.prefect_id = str(dead.id)
    record = read_run(store, killed.record.id)
    record.status, record.prefect_id = "running", str(dead.id)
    store.write_json(f"runs/{record.id}.json", record.model_dump(mode="json"))

    client = Client(live, dead, young, submitted)
    with session(store, **options, through_prefect=False) as running:
        running.record.prefect_id = str(live.id)
        store.write_json(f"runs/{running.record.id}.json", running.record.model_dump(mode="json"))
        assert reconcile(store, client) == ["dead", "submitted"]  # type: ignore[arg-type]
    assert client.crashed == [dead.id, submitted.id]
    assert read_run(store, record.id).status == "crashed"
    assert read_run(store, running.record.id).status == "completed"


# ---- the whole of it


@contextmanager
def up(line: CommandLine, preset: Path) -> Iterator[tuple["subprocess.Popen[str]", str, str]]:
    """`crawl2chat up`, ready; yields its process, the dashboard's address and the reports'."""
    with line.start("up", "--preset", str(preset), "--port", "0") as process:
        assert process.stdout is not None
        told: dict[str, str] = {}
        while "Ctrl-C" not in told:
            text = process.stdout.readline()
            assert text, process.communicate()[1]
            words = text.split(maxsplit=1)
            told[words[0]] = words[-1].strip()
        try:
            yield process, told["dashboard"].removesuffix("/v2"), told["reports"]
        finally:
            if process.poll() is None:
                process.kill()


def ask(url: str, value: object = None) -> Any:
    data = None if value is None else json.dumps(value).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            # SQLite was busy: Prefect's own client asks again, too
            if error.code != 503 or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def trigger(server: str, overrides: dict[str, Any]) -> str:
    """Starts a run as the dashboard's form does, with its defaults; returns its id."""
    found = ask(f"{server}/api/deployments/name/refresh-corpus/default")
    parameters = found["parameters"] | {"overrides": overrides}
    made = ask(
        f"{server}/api/deployments/{found['id']}/create_flow_run", {"parameters": parameters}
    )
    return str(made["id"])


def state_of(server: str, flow_run: str) -> str:
    return str(ask(f"{server}/api/flow_runs/{flow_run}")["state"]["type"])


def wait_for_state(server: str, flow_run: str, *states: str) -> None:
    wait_for(lambda: state_of(server, flow_run) in states, f"a run that is {states}", DEADLINE)


def nothing_is_left(line: CommandLine) -> bool:
    return not processes_about(str(line.store))


def logs(line: CommandLine) -> str:
    log = line.store / "local" / "logs" / "serving.txt"
    return log.read_text() if log.exists() else ""


@pytest.mark.prefect
@pytest.mark.timeout(400)
def test_up_runs_what_the_dashboard_starts_and_ends_without_a_trace_twice(
    command_line: CommandLine,
) -> None:
    with up(command_line, command_line.preset) as (process, server, reports):
        run = trigger(server, {"crawl.as_of": "up"})
        wait_for_state(server, run, *FINAL)
        assert state_of(server, run) == "COMPLETED", logs(command_line)
        record = next(
            found for found in list_runs(Store(str(command_line.store))) if found.prefect_id == run
        )
        artifacts = ask(
            f"{server}/api/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}}}
        )
        assert [artifact["key"] for artifact in artifacts] == ["run-summary"]
        assert "| apples | 3 |" in artifacts[0]["data"]
        link = re.search(r"\[Open the report\]\((.*?)\)", artifacts[0]["data"])
        assert link is not None
        assert link[1] == f"{reports}/runs/{record.id}/report.html"
        with urllib.request.urlopen(link[1], timeout=30) as answer:
            assert answer.read().startswith(b"<h1>")

        second = command_line("up", "--preset", str(command_line.preset))
        assert second.returncode == 2
        assert "`crawl2chat up` runs already" in second.stderr

        slow = trigger(server, {"crawl.as_of": "slow"})
        wait_for_state(server, slow, "RUNNING")
        process.kill()  # the worst end
        process.wait()
        wait_for(lambda: nothing_is_left(command_line), "the end of all its processes", END_SECONDS)

    with up(command_line, command_line.preset) as (process, server, _):
        assert state_of(server, slow) in ("CRASHED", "CANCELLED")
        run = trigger(server, {"crawl.as_of": "up"})
        wait_for_state(server, run, *FINAL)
        assert state_of(server, run) == "COMPLETED"
        slow = trigger(server, {"crawl.as_of": "slow"})
        wait_for_state(server, slow, "RUNNING")
        asked_at = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(END_SECONDS) == 0
        wait_for(lambda: nothing_is_left(command_line), "the end of all its processes", 1)
        assert time.monotonic() - asked_at < END_SECONDS


@pytest.mark.slow
@pytest.mark.prefect
@pytest.mark.timeout(400)
def test_scheduled_run_fires(command_line: CommandLine) -> None:
    """A cron of every minute: SQLAlchemy 2.1 would stop the scheduler without a word."""
    preset = command_line.preset.with_name("scheduled.yaml")
    preset.write_text(
        command_line.preset.read_text()
        + 'schedules:\n  refresh-corpus: {cron: "* * * * *", overrides: {crawl.limit: 3}}\n'
    )
    with up(command_line, preset) as (process, server, _):

        def fired() -> list[Any]:
            query = {
                "flow_runs": {
                    "state": {"type": {"any_": ["COMPLETED"]}},
                    "tags": {"all_": ["auto-scheduled"]},
                }
            }
            found: list[Any] = ask(f"{server}/api/flow_runs/filter", query)
            return found

        wait_for(lambda: bool(fired()), "a scheduled run that completed", 180)
        (run, *_) = fired()
        assert run["parameters"]["run"]["refresh"] is True
        record = next(
            found
            for found in list_runs(Store(str(command_line.store)))
            if found.prefect_id == run["id"]
        )
        assert record.config["crawl"]["as_of"] == dt.datetime.now(dt.UTC).date().isoformat()
        assert record.config["crawl"]["limit"] == 3
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_SECONDS) == 0
    wait_for(lambda: nothing_is_left(command_line), "the end of all its processes", 1)


@pytest.mark.slow
@pytest.mark.prefect
@pytest.mark.timeout(200)
def test_up_that_cannot_serve_says_why(command_line: CommandLine, tmp_path: Path) -> None:
    preset = tmp_path / "bad.yaml"
    preset.write_text(
        command_line.preset.read_text() + 'schedules:\n  refresh-corpus: {cron: "0 3 1 * xyz"}\n'
    )
    done = command_line("up", "--preset", str(preset), "--port", "0")
    assert done.returncode == 2
    assert "the flows could not be served: " in done.stderr
    assert "0 3 1 * xyz" in done.stderr
    assert done.stderr.count("\n") == 1
    wait_for(lambda: nothing_is_left(command_line), "the end of all its processes", 5)
