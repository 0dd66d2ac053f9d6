"""The command line of `command_line.py`, with one store and one server database for all tests."""

import os
import signal
from collections.abc import Iterator

import pytest
from command_line import CommandLine, hold_server, processes_about, wait_for

from flows.server import has_ended


@pytest.fixture(scope="session")
def command_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """One store for the session: its server's database is made once, which takes ten seconds."""
    folder = tmp_path_factory.mktemp("command-line")
    (folder / "text").mkdir()
    preset = folder / "toy.yaml"
    preset.write_text(
        "crawl:\n  sources:\n"
        f"    one: {{kind: text, paths: [{folder}/text]}}\n"
        f"    two: {{kind: text, paths: [{folder}/text]}}\n"
    )
    line = CommandLine(folder / "store", preset)
    yield line
    left = {process.pid: process.cmdline() for process in processes_about(str(line.store))}
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left


@pytest.fixture(scope="module")
def shared_server(command_line: CommandLine) -> Iterator[str]:
    """The API of a server that stays for the tests of a module, so that commands need not wait."""
    command_line.home.mkdir(parents=True, exist_ok=True)
    with hold_server(command_line) as holder:
        assert holder.stdout is not None
        yield holder.stdout.readline().strip()
        holder.communicate()
    wait_for(lambda: has_ended(command_line.home), "the end of the server", 15)
