"""Model work in a process of its own: torch never loads into the process that runs the flow.

The verb calls `run_worker("tasks.pretrain.train", job, …)`; that module ends with

    if __name__ == "__main__":
        work(train, PretrainJob)          # train(job: PretrainJob, report: Report) -> dict

The job comes as a JSON file, events go back as JSON lines on stdout (whatever libraries print goes
to stderr instead), and the end of stderr becomes part of an error. The worker lives no longer than
its parent: it holds the read end of a pipe that nobody writes to, and ends when that pipe closes.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

from pydantic import BaseModel

from tasks.lm.runtime import Runtime

ERROR_LINES = 30  # of a failed worker's stderr
_PR_SET_PDEATHSIG = 1

Job = TypeVar("Job", bound=BaseModel)
Result = dict[str, Any]


class OnProgress(Protocol):
    """Told how far the work is, with figures such as the loss."""

    def __call__(self, done: int, total: int, unit: str = "", **figures: float) -> None:
        """`total` is 0 while it is unknown."""


class WorkerError(RuntimeError):
    """A worker process failed; holds what it said last."""


class Report:
    """The worker's side of the line to its parent."""

    def __init__(self, stream: IO[str]) -> None:
        """Writes events to `stream`, one JSON object per line."""
        self._stream = stream

    def progress(self, done: int, total: int, unit: str = "", **figures: float) -> None:
        """How far the work is."""
        self._send(event="progress", done=done, total=total, unit=unit, figures=figures)

    def log(self, message: str) -> None:
        """One line for the run's log."""
        self._send(event="log", message=message)

    def result(self, value: Result) -> None:
        """What the work came to; the last event."""
        self._send(event="result", value=value)

    def error(self, message: str) -> None:
        """Why the work failed; the last event."""
        self._send(event="error", message=message)

    def _send(self, **event: Any) -> None:
        self._stream.write(json.dumps(event) + "\n")
        self._stream.flush()


def run_worker(
    module: str,
    job: BaseModel,
    runtime: Runtime,
    *,
    scratch: Path,
    on_progress: OnProgress,
    on_log: Callable[[str], None],
) -> Result:
    """Runs `python -m module` on `job`, and returns its result.

    Raises:
        WorkerError: the process failed, or was killed.
    """
    job_file = scratch / f"{module}.json"
    job_file.write_text(job.model_dump_json())
    process = subprocess.Popen(
        [sys.executable, "-m", module, str(job_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=_environment(runtime),
    )
    tail: deque[str] = deque(maxlen=ERROR_LINES)
    assert process.stderr is not None
    drain = threading.Thread(target=tail.extend, args=(process.stderr,), daemon=True)
    drain.start()
    try:
        outcome = _follow(process, on_progress, on_log)
        code = process.wait()
    finally:
        process.kill()
        process.wait()
        drain.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    if code == 0 and outcome.get("event") == "result":
        result: Result = outcome["value"]
        return result
    why = outcome.get("message") or _describe_exit(code)
    raise WorkerError(f"{module}: {why}\n{''.join(tail)}".rstrip())


def work(function: Callable[[Job, Report], Result], job_type: type[Job]) -> None:
    """The main function of a worker module: runs `function` on the job named on the command line.

    Errors are reported by their text; the traceback goes to stderr.
    """
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles it, and ends this process
    report = Report(_claim_stdout())
    job = job_type.model_validate_json(Path(sys.argv[1]).read_text())
    try:
        result = function(job, report)
    except Exception as error:
        report.error(f"{type(error).__name__}: {error}")
        raise
    report.result(result)


def _follow(
    process: subprocess.Popen[str], on_progress: OnProgress, on_log: Callable[[str], None]
) -> dict[str, Any]:
    """Passes events on until the worker closes its stdout; returns the last event."""
    assert process.stdout is not None
    event: dict[str, Any] = {}
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "progress":
            on_progress(event["done"], event["total"], event["unit"], **event["figures"])
        elif event["event"] == "log":
            on_log(event["message"])
    return event


def _environment(runtime: Runtime) -> dict[str, str]:
    """This environment, with what must be set before torch loads; no library calls home."""
    root = str(Path(__file__).parents[2])
    return {
        # Threads that wait for each other sleep instead of spinning: 5 % slower on a quiet machine,
        # 8 times faster where another process wants the cores (docs/experiments.md).
        "OMP_WAIT_POLICY": "passive",
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")])),
        "OMP_NUM_THREADS": str(runtime.threads),
        "MKL_NUM_THREADS": str(runtime.threads),
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # makes cuBLAS deterministic
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TRANSFORMERS_VERBOSITY": "error",
    }


def _describe_exit(code: int) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        hint = "; the machine may be out of memory" if name == "SIGKILL" else ""
        return f"the process was ended by {name}{hint}"
    return f"the process ended with exit code {code} and no result"


def _die_with_parent() -> None:
    """Ends this process when the parent closes the pipe on stdin, which its death does too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    pipe = os.dup(0)

    def watch() -> None:
        os.read(pipe, 1)  # returns at end of file only: nobody writes
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _claim_stdout() -> IO[str]:
    """The real stdout for events; from now on file descriptor 1 leads to stderr."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return events
