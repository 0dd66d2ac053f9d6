"""One Prefect server per store, shared by the commands that use it, ended by the last of them.

    with prefect_server(store.side / "server") as server:
        import prefect                  # 2 s that pass while the server starts
        server.wait_until_healthy()

Nothing is counted, so nothing can be counted wrong: each command holds a shared flock on
`users.lock` for as long as it lives, and the server process itself waits for the exclusive one,
which it gets when the last command ended, were it by kill -9. `server.lock` says whether a server
runs; `start.lock` lets one command at a time look and start.

Run as a module, this file is the server process: `python -m flows.server HOME PORT LOCK_FD`.
"""

import contextlib
import fcntl
import http.client
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.prefect_environment import (
    SEND_SECONDS,
    dashboard_url,
    prefect_settings,
    send_what_waits,
    settings,
)

START_SECONDS = 180.0  # 5 s warm, 17 s with a new database, three times that on a busy machine
ANSWER_SECONDS = 30.0  # of a server that somebody else runs
STOP_SECONDS = 8.0
LOG_BYTES = 20_000_000


class ServerError(Exception):
    """The Prefect server cannot be started; the message says why and what to do."""


@dataclass(frozen=True)
class Server:
    """A Prefect server: one that this program shares through `home`, or one run elsewhere."""

    api_url: str
    home: Path | None = None

    @property
    def dashboard_url(self) -> str:
        """The start page of the dashboard, as a browser reaches it."""
        return dashboard_url(self.api_url)

    def is_healthy(self) -> bool:
        """Whether the server answers now."""
        try:
            with _opener().open(f"{self.api_url}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, http.client.HTTPException):
            return False

    def wait_until_healthy(self) -> None:
        """Returns when the server answers.

        Raises:
            ServerError: when it ended, or did not answer in time.
        """
        seconds = ANSWER_SECONDS if self.home is None else START_SECONDS
        deadline = time.monotonic() + seconds
        while True:
            healthy = self.is_healthy()
            if self.home is not None and not is_running(self.home):
                raise ServerError(_why_it_ended(self.home))
            if healthy:
                return
            if time.monotonic() > deadline:
                raise ServerError(f"no Prefect server answers at {self.api_url}; is it running?")
            time.sleep(0.05)

    def wait_until_recorded(self, flow_run_id: str, seconds: float = SEND_SECONDS) -> None:
        """Returns when the server has written the end of every task of a run that ended.

        It learns of tasks from events, which it keeps in memory for some seconds, and drops them
        when it ends (seen: two of thirty tasks stayed `Running` for ever).
        """
        query = {
            "flow_runs": {"id": {"any_": [flow_run_id]}},
            "task_runs": {"state": {"type": {"any_": ["PENDING", "RUNNING"]}}},
        }
        send_what_waits()
        deadline = time.monotonic() + seconds
        while self._post("task_runs/count", query) and time.monotonic() < deadline:
            time.sleep(0.1)

    def _post(self, path: str, value: object) -> object:
        request = urllib.request.Request(
            f"{self.api_url}/{path}",
            json.dumps(value).encode(),
            {"Content-Type": "application/json"},
        )
        with _opener().open(request, timeout=30) as answer:
            return json.load(answer)


def _opener() -> urllib.request.OpenerDirector:
    """Requests go straight to the server, whatever proxy is set."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextlib.contextmanager
def prefect_server(home: Path, port: int = 0) -> Iterator[Server]:
    """Joins the server of `home`, or starts it on `port` (0: any free one); does not wait for it.

    Inside the block this process and its children talk to that server and no other.

    Raises:
        ServerError: when `port` is taken by another program.
    """
    home.mkdir(parents=True, exist_ok=True)
    with _held(home / "users.lock", fcntl.LOCK_SH):  # waits for a server that is just ending
        with _held(home / "start.lock", fcntl.LOCK_EX):
            found = _port(home) if _is_locked(home / "server.lock") else _start(home, port)
        server = Server(f"http://127.0.0.1:{found}/api", home)
        with prefect_settings(settings(home, server.api_url)):
            yield server


@contextlib.contextmanager
def existing_server(api_url: str, home: Path) -> Iterator[Server]:
    """Uses a server that somebody else runs; `home` only holds this machine's client files."""
    server = Server(api_url.rstrip("/"))
    with prefect_settings(settings(home, server.api_url)):
        yield server


def is_running(home: Path) -> bool:
    """Whether a server process of `home` is alive."""
    if not (home / "server.lock").exists():
        return False
    with _held(home / "start.lock", fcntl.LOCK_EX):
        return _is_locked(home / "server.lock")


def has_ended(home: Path) -> bool:
    """Whether the server process of `home`, and all that it had to do at its end, is over."""
    try:
        with _held(home / "users.lock", fcntl.LOCK_SH | fcntl.LOCK_NB):
            return not is_running(home)
    except BlockingIOError:
        return False  # it is ending


def running_server(home: Path) -> Server | None:
    """The server of `home` if it is alive; it may end any moment unless one is joined."""
    return Server(f"http://127.0.0.1:{_port(home)}/api", home) if is_running(home) else None


@contextlib.contextmanager
def _held(path: Path, mode: int) -> Iterator[int]:
    """Waits for a flock on `path`; yields the descriptor that holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, mode)
        yield descriptor
    finally:
        os.close(descriptor)


def _is_locked(path: Path) -> bool:
    """Whether another process holds `path` exclusively; call it under `start.lock` only."""
    try:
        with _held(path, fcntl.LOCK_SH | fcntl.LOCK_NB):
            return False
    except BlockingIOError:
        return True


def _port(home: Path) -> int:
    return int(json.loads((home / "server.json").read_text())["port"])


def _start(home: Path, port: int) -> int:
    """Starts the server process, which inherits `server.lock`, and returns its port."""
    port = _free_port(port)
    with _held(home / "server.lock", fcntl.LOCK_EX) as lock:
        (home / "server.json").write_text(json.dumps({"port": port}))
        log = home / "server.log"
        keep = "ab" if log.exists() and log.stat().st_size < LOG_BYTES else "wb"
        with log.open(keep) as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "flows.server", str(home.absolute()), str(port), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=home,  # no .env or prefect.toml of the user is in there
                env=_server_environment(home, port),
                pass_fds=(lock,),
                start_new_session=True,  # a Ctrl-C in the terminal is for the commands
            )
        threading.Thread(target=process.wait, daemon=True).start()  # no zombie while we live
    return port


def _server_environment(home: Path, port: int) -> dict[str, str]:
    package_root = str(Path(__file__).resolve().parent.parent)
    inherited = {name: value for name, value in os.environ.items() if "PREFECT" not in name.upper()}
    python_path = os.pathsep.join(filter(None, [package_root, inherited.get("PYTHONPATH")]))
    ours = settings(home.absolute(), f"http://127.0.0.1:{port}/api")
    return {**inherited, **ours, "PYTHONPATH": python_path}


def _free_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise ServerError(
                f"port {port} is used by another program; choose another with --port"
            ) from None
        return int(probe.getsockname()[1])


def _why_it_ended(home: Path) -> str:
    lines = (home / "server.log").read_text(errors="replace").strip().splitlines()
    last = lines[-1].strip() if lines else "it wrote nothing"
    return (
        f"the Prefect server ended: {last} (more in {home / 'server.log'}). If its database is "
        f"broken, delete {home}: only the history on the dashboard is lost, no artifact"
    )


def _end_with_last_user(home: Path, server_lock: int) -> None:
    """Waits for the last command to end, then ends this process while new commands wait."""
    with _held(home / "users.lock", fcntl.LOCK_EX):
        fcntl.flock(server_lock, fcntl.LOCK_UN)  # whoever comes after us starts a new server
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os._exit(1)


def serve_until_unused(home: Path, port: int, server_lock: int) -> None:
    """Runs `prefect server start` in this process until no command uses it any more."""
    os.set_inheritable(server_lock, False)
    threading.Thread(target=_end_with_last_user, args=(home, server_lock), daemon=True).start()
    sys.argv = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    serve_until_unused(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
