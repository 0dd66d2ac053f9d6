"""The real command line, in processes of its own, over a flow whose steps take no time."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
TOY = Path(__file__).parent / "toy"
DEADLINE = 90.0  # of what takes seconds on a quiet machine

HOLD = """
import sys
from pathlib import Path
from flows.server import prefect_server
with prefect_server(Path(sys.argv[1])) as server:
    server.wait_until_healthy()
    print(server.api_url, flush=True)
    sys.stdin.read()
"""


def wait_for(condition: Callable[[], bool], what: str, seconds: float = DEADLINE) -> None:
    """Polls until something is seen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


def processes_about(text: str) -> list[psutil.Process]:
    """The processes that have `text` in their command line or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if process.pid != os.getpid() and any(text in word for word in words):
            found.append(process)
    return found


@dataclass(frozen=True)
class CommandLine:
    """`crawl2chat` over one store and one preset file."""

    store: Path
    preset: Path

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT", "CRAWL2CHAT"))}
        return kept | {
            "PYTHONPATH": f"{TOY}{os.pathsep}{ROOT}",
            "CRAWL2CHAT_STORE": str(self.store),
            "COLUMNS": "160",
        }

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "flows", *arguments],
            env=self.environment(),
            cwd=self.preset.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        with self.start(*arguments) as process:
            output, errors = process.communicate(timeout=DEADLINE)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def run(self, *sets: str, api: str = "") -> "subprocess.CompletedProcess[str]":
        settings = [word for text in sets for word in ("--set", text)]
        server = ["--api", api] if api else []
        return self("run", "refresh-corpus", "--preset", str(self.preset), *settings, *server)

    @property
    def home(self) -> Path:
        return self.store / "local" / "server"


def hold_server(line: CommandLine) -> "subprocess.Popen[str]":
    """A process that uses the store's server until its standard input closes."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(line.home)],
        env=line.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
