"""`up`: server, dashboard, deployments, schedules and report pages, until Ctrl-C ends them all.

This process stays small and holds the others: the Prefect server (shared with other commands), the
serving process, whose standard input it keeps open, and a thread with the report pages. They end in
this order: serving first, since it still talks to the server, then the server.
"""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.knobs import PRESET_VARIABLE
from flows.lifeline import GRACE_SECONDS
from flows.pages import serve_pages
from flows.runner import PAGES_VARIABLE, SERVED_VARIABLE, STORE_VARIABLE
from flows.server import Server, ServerError, has_ended
from storage.store import Store

READY_SECONDS = 120.0
END_SECONDS = 4.0  # for the server, once nobody uses it


@dataclass(frozen=True)
class Addresses:
    """Where things are while `up` runs."""

    dashboard: str
    pages: str


@contextlib.contextmanager
def only_one(store: Store) -> Iterator[None]:
    """Holds the store's place for the one process that serves it.

    Raises:
        ServerError: when another one does.
    """
    with (store.side / "locks" / "up.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerError(f"`crawl2chat up` runs already for {store.url}") from None
        yield


@contextlib.contextmanager
def serving(
    store: Store, server: Server, preset: str, *, pages_host: str, pages_port: int, pages_url: str
) -> Iterator[tuple[Addresses, "subprocess.Popen[bytes]"]]:
    """Everything besides the server; yields where things are, and the serving process."""
    with serve_pages(store, pages_host, pages_port) as port:
        pages = pages_url or f"http://127.0.0.1:{port}"
        os.environ[STORE_VARIABLE] = store.url
        os.environ[PAGES_VARIABLE] = pages
        os.environ[SERVED_VARIABLE] = "1"
        os.environ[PRESET_VARIABLE] = preset
        process, ready = _start_serving(store, preset)
        try:
            _wait_until_ready(ready, store)
            yield Addresses(server.dashboard_url, pages), process
        finally:
            _end(process)


def serving_log(store: Store) -> Path:
    """What the serving process and its runs write."""
    return store.side / "logs" / "serving.txt"


def _start_serving(store: Store, preset: str) -> tuple["subprocess.Popen[bytes]", int]:
    log = serving_log(store)
    log.parent.mkdir(exist_ok=True)
    ready, write_end = os.pipe()
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "flows.serve", preset, str(write_end)],
                stdin=subprocess.PIPE,  # closes with this process, however it ends
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(write_end,),
                start_new_session=True,  # Ctrl-C is for us; we end it in order
            )
    finally:
        os.close(write_end)
    return process, ready


def _wait_until_ready(ready: int, store: Store) -> None:
    """Returns when all deployments are registered.

    Raises:
        ServerError: when they could not be, with the reason.
    """
    with os.fdopen(ready) as pipe:
        can_read, _, _ = select.select([pipe], [], [], READY_SECONDS)
        answer = pipe.readline().strip() if can_read else f"no answer in {READY_SECONDS:.0f} s"
    if answer != "ready":
        reason = answer or _last_line(serving_log(store))
        raise ServerError(f"the flows could not be served: {reason} (more in {serving_log(store)})")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "no message"


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends the serving process and its runs, in order if they can in a few seconds."""
    assert process.stdin is not None
    process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS + 2.0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # runs that did not end with it
    process.wait()


def wait_for_signal_or_end(process: "subprocess.Popen[bytes]") -> bool:
    """Waits for Ctrl-C, SIGTERM or SIGHUP; False when the serving process ended by itself."""
    asked = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in signals}
    try:
        while not asked.wait(0.5):
            if process.poll() is not None:
                return False
        return True
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_until_gone(home: Path) -> bool:
    """Whether the server ended; it stays while another command uses it."""
    deadline = time.monotonic() + END_SECONDS
    while not has_ended(home):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
