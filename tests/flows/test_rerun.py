"""Rerun from cache, with a real Prefect server and real processes, kills included."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from small_run import SmallRun, digests, executed, write_preset

from flows.server import prefect_server
from storage.artifact import Manifest
from storage.store import Store

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(400)]
DATA = "build-mixture"


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_preset(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def server_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One server for the module: its home is linked into every store."""
    home = tmp_path_factory.mktemp("server")
    with prefect_server(home) as server:
        server.wait_until_healthy()
        yield home


@pytest.fixture
def new_run(preset: Path, server_home: Path, tmp_path: Path) -> SmallRun:
    """An empty store that shares the module's server."""
    return with_server(SmallRun(preset, tmp_path / "store"), server_home)


def with_server(run: SmallRun, home: Path) -> SmallRun:
    local = Store(str(run.store)).side
    if not (local / "server").exists():
        (local / "server").symlink_to(home)
    return run


@pytest.fixture(scope="module")
def built(
    preset: Path, server_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[SmallRun, dict[str, Any]]:
    """A store with one complete run of the data flow; tests work on copies of it."""
    run = with_server(SmallRun(preset, tmp_path_factory.mktemp("built") / "store"), server_home)
    return run, run.run(DATA)


@pytest.fixture
def copy(built: tuple[SmallRun, dict[str, Any]], tmp_path: Path) -> tuple[SmallRun, dict[str, Any]]:
    run, record = built
    shutil.copytree(run.store, tmp_path / "store", symlinks=True)
    return SmallRun(run.preset, tmp_path / "store"), record


def manifest(run: SmallRun, label: str) -> Manifest:
    (found,) = [m for _, m in Store(str(run.store)).all_manifests() if m.label == label]
    return found


def blob(run: SmallRun, label: str) -> Path:
    store = Store(str(run.store))
    path = store.blob_path(manifest(run, label).files[0])
    path.chmod(0o644)
    return path


def test_a_second_run_executes_no_step(copy: tuple[SmallRun, dict[str, Any]]) -> None:
    run, first = copy
    assert first["executed"] == len(first["steps"])
    again = run.run(DATA)
    assert again["executed"] == 0
    assert digests(again) == digests(first)
    assert set(run.plan(DATA).values()) == {"cached"}


def test_after_a_changed_threshold_just_what_plan_called_run_executes(
    copy: tuple[SmallRun, dict[str, Any]],
) -> None:
    run, _ = copy
    change = ("--set", "quality.sources.notes.gopher_quality.min_words=400")
    planned = run.plan(DATA, *change)
    record = run.run(DATA, *change)
    to_run = {label for label, state in planned.items() if state == "run"}
    cached = {label for label, state in planned.items() if state == "cached"}
    assert "decide/notes" in to_run
    assert {"score/notes", "decide/code", "sign/code"} <= cached
    assert to_run <= executed(record)
    assert not cached & executed(record)


def test_a_deleted_or_truncated_blob_rebuilds_just_its_step(
    copy: tuple[SmallRun, dict[str, Any]],
) -> None:
    run, first = copy
    blob(run, "score/code").unlink()
    truncated = blob(run, "train-tokenizer")
    truncated.write_bytes(truncated.read_bytes()[:-7])
    record = run.run(DATA)
    assert executed(record) == {"score/code", "train-tokenizer"}
    assert digests(record) == digests(first)


def test_a_flipped_byte_is_found_by_verify_and_rebuilt(
    copy: tuple[SmallRun, dict[str, Any]],
) -> None:
    run, first = copy
    path = blob(run, "decide/readmes")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)
    found = run.call("artifacts", "verify", check=False)
    assert found.returncode == 1
    assert "decide/readmes" in found.stdout + found.stderr
    record = run.run(DATA)
    assert executed(record) == {"decide/readmes"}
    assert digests(record) == digests(first)
    run.call("artifacts", "verify")


def test_workers_and_the_hash_seed_change_no_digest(
    built: tuple[SmallRun, dict[str, Any]], new_run: SmallRun
) -> None:
    _, first = built
    new_run.environment["PYTHONHASHSEED"] = "1"
    record = new_run.run(DATA, "--workers", "1")
    assert record["executed"] == len(record["steps"])
    assert digests(record) == digests(first)


def test_two_runs_at_once_both_succeed(new_run: SmallRun) -> None:
    command = new_run.command("run", DATA, "--preset", str(new_run.preset))
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    for process in both:
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
    records = sorted((new_run.store / "runs").iterdir())
    assert len(records) == 2
    new_run.call("artifacts", "verify")
    assert new_run.run(DATA)["executed"] == 0


# ---- a retry from the dashboard


@contextlib.contextmanager
def dashboard(run: SmallRun) -> Iterator[str]:
    """`crawl2chat up` over the store; yields the API's address."""
    command = run.command("up", "--preset", str(run.preset), "--port", "0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = ""
        for line in process.stdout:
            if line.startswith("dashboard"):
                address = line.split()[1].removesuffix("/v2") + "/api"
            if "Ctrl-C" in line:
                break
        try:
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def ask(client: httpx.Client, path: str, value: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the server answers; when SQLite was busy (503), asked again as Prefect's client does."""
    deadline = time.monotonic() + 60
    while True:
        answer = client.get(path) if value is None else client.post(path, json=value)
        if answer.status_code != 503 or time.monotonic() > deadline:
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
            return found
        time.sleep(0.2)


def wait_for_end(client: httpx.Client, run_id: str, *, retried: bool = False) -> str:
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        found = ask(client, f"flow_runs/{run_id}")
        if found["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED") and (
            found["run_count"] == 2 or not retried
        ):
            return str(found["state"]["type"])
        time.sleep(0.1)
    raise AssertionError(f"run {run_id} did not end")


def test_a_step_that_failed_and_is_retried_runs_alone(
    copy: tuple[SmallRun, dict[str, Any]], tmp_path: Path
) -> None:
    run, first = copy
    (run.store / "local" / "server").unlink()  # `up` owns its server
    blob(run, "read/notes").unlink()
    notes = run.preset.parent / "notes"
    notes.rename(tmp_path / "notes")
    with dashboard(run) as address, httpx.Client(base_url=address, trust_env=False) as client:
        found = ask(client, f"deployments/name/{DATA}/default")
        made = ask(client, f"deployments/{found['id']}/create_flow_run", {})
        assert wait_for_end(client, made["id"]) == "FAILED"
        (tmp_path / "notes").rename(notes)
        retry = {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}, "force": False}
        answer = ask(client, f"flow_runs/{made['id']}/set_state", retry)
        assert answer["status"] == "ACCEPT"
        assert wait_for_end(client, made["id"], retried=True) == "COMPLETED"
    record = run.last()
    assert record["prefect_id"] == made["id"]
    assert executed(record) == {"read/notes"}
    assert digests(record) == digests(first)


# ---- kills


def kill_when(run: SmallRun, flow: str, seen: Callable[[], bool]) -> None:
    """Starts a run in its own process group and kills the group once `seen()` is true."""
    command = run.command("run", flow, "--preset", str(run.preset))
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 200
    while not seen():
        assert process.poll() is None, "the run ended before it was killed"
        assert time.monotonic() < deadline, "the moment to kill never came"
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def journal_lines(run: SmallRun, step: str) -> int:
    return sum(
        path.read_bytes().count(b"\n") for path in run.store.glob(f"shards/{step}/*/*.jsonl")
    )


def test_a_kill_in_a_shard_step_costs_only_the_missing_shards(
    built: tuple[SmallRun, dict[str, Any]], new_run: SmallRun
) -> None:
    _, undisturbed = built
    kill_when(new_run, DATA, lambda: journal_lines(new_run, "score") >= 1)
    before = journal_lines(new_run, "score")
    record = new_run.run(DATA)
    assert digests(record) == digests(undisturbed)
    shards = sum(len(manifest(new_run, f"score/{s}").files) for s in ("code", "notes", "readmes"))
    assert journal_lines(new_run, "score") == shards
    assert before >= 1


def test_a_kill_in_training_resumes_and_ends_with_the_same_weights(
    copy: tuple[SmallRun, dict[str, Any]], tmp_path: Path, server_home: Path
) -> None:
    run, _ = copy
    other = SmallRun(run.preset, tmp_path / "undisturbed")
    shutil.copytree(run.store, other.store, symlinks=True)
    expected = digests(other.run("pretrain"))

    def checkpoint_written() -> bool:
        return any((run.store / "local" / "work").glob("*/**/step-*"))

    kill_when(run, "pretrain", checkpoint_written)
    assert list((run.store / "local" / "work").glob("*/**/step-*"))
    record = run.run("pretrain")
    assert digests(record)["pretrain"] == expected["pretrain"]
    assert digests(record)["evaluate-lm"] == expected["evaluate-lm"]
