import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tasks.lm.runtime import Runtime
from tasks.lm.worker import Result, WorkerError, run_worker
from tests.tasks.lm.sleepy_worker import SleepyJob


def start(how: str, scratch: Path, heard: list[Any]) -> Result:
    return run_worker(
        "tests.tasks.lm.sleepy_worker",
        SleepyJob(how=how),
        Runtime(threads=3),
        scratch=scratch,
        on_progress=lambda *where, **figures: heard.append((*where, figures)),
        on_log=heard.append,
    )


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_worker_reports_and_returns(tmp_path: Path) -> None:
    heard: list[Any] = []
    result = start("works", tmp_path, heard)
    assert result == {"threads": "3", "offline": "1"}
    assert heard[0].startswith("pid ")
    assert heard[1:] == [(1, 2, "steps", {"loss": 2.5})]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("fails", "ValueError: 3 rows are missing; tokenize again"),
        ("killed", "ended by SIGKILL; the machine may be out of memory"),
        ("silent", "exit code 0 and no result"),
    ],
)
def test_failure_says_why_with_the_end_of_stderr(tmp_path: Path, how: str, message: str) -> None:
    with pytest.raises(WorkerError, match=message) as caught:
        start(how, tmp_path, [])
    assert "a library prints to stdout" in str(caught.value)


def test_worker_ends_when_progress_raises(tmp_path: Path) -> None:
    heard: list[Any] = []

    def cancel(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_worker(
            "tests.tasks.lm.sleepy_worker",
            SleepyJob(how="sleeps"),
            Runtime(),
            scratch=tmp_path,
            on_progress=cancel,
            on_log=heard.append,
        )
    assert gone(int(heard[0].split()[1]))


def test_worker_dies_with_a_killed_parent(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from tests.tasks.lm.test_worker import start\n"
        "class Heard(list):\n"
        "    def append(self, value): print(value, flush=True)\n"
        f"start('sleeps', Path({str(tmp_path)!r}), Heard())"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline().split()[1])
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    assert gone(pid)
