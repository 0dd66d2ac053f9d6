"""One server per store: shared, never counted wrong, gone with its last user."""

import importlib.metadata
import os
import socket
import tomllib
from pathlib import Path

import pytest
from command_line import ROOT, CommandLine, hold_server, processes_about, wait_for

from flows.prefect_environment import prefect_settings, settings
from flows.server import (
    Server,
    ServerError,
    existing_server,
    has_ended,
    is_running,
    prefect_server,
    running_server,
)


@pytest.mark.prefect
@pytest.mark.timeout(300)
def test_commands_share_a_server_that_survives_a_killed_user_and_ends_with_the_last(
    command_line: CommandLine,
) -> None:
    command_line.home.mkdir(parents=True, exist_ok=True)
    with hold_server(command_line) as first, hold_server(command_line) as second:
        assert first.stdout is not None
        assert second.stdout is not None
        urls = {first.stdout.readline().strip(), second.stdout.readline().strip()}
        assert len(urls) == 1
        server = running_server(command_line.home)
        assert server is not None
        assert {server.api_url} == urls
        assert len(processes_about(f"{command_line.home}/prefect")) == 1
        first.kill()
        first.wait()
        assert server.is_healthy()
        assert is_running(command_line.home)
        second.communicate()  # closes its standard input
    wait_for(lambda: has_ended(command_line.home), "the end of the server", 15)
    assert running_server(command_line.home) is None
    wait_for(lambda: not processes_about(f"{command_line.home}/prefect"), "its process", 5)


@pytest.mark.prefect
def test_server_that_ends_at_its_start_is_explained(tmp_path: Path) -> None:
    (tmp_path / "prefect").write_text("a file where the server wants its folder")
    with prefect_server(tmp_path) as server, pytest.raises(ServerError) as caught:
        server.wait_until_healthy()
    message = str(caught.value)
    assert message.startswith("the Prefect server ended: ")
    assert str(tmp_path / "server.log") in message
    assert "\n" not in message
    assert not is_running(tmp_path)


def test_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with (
            pytest.raises(ServerError, match=f"port {port} is used by another program; choose"),
            prefect_server(tmp_path, port),
        ):
            pass
    assert not is_running(tmp_path)


def test_looking_for_a_server_starts_none(tmp_path: Path) -> None:
    assert not is_running(tmp_path / "home")
    assert running_server(tmp_path / "home") is None
    assert not (tmp_path / "home").exists()


def test_settings_of_the_user_are_put_aside_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "of the user")
    monkeypatch.setenv("PREFECT_API_URL", "https://api.prefect.cloud/mine")
    ours = settings(tmp_path, "http://127.0.0.1:4200/api")
    with prefect_settings(ours):
        assert "PREFECT_API_KEY" not in os.environ
        assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:4200/api"
        assert os.environ["PREFECT_HOME"] == str(tmp_path / "prefect")
        assert os.environ["PREFECT_SERVER_EPHEMERAL_ENABLED"] == "false"
        assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert os.environ["PREFECT_API_KEY"] == "of the user"
    assert os.environ["PREFECT_API_URL"] == "https://api.prefect.cloud/mine"
    assert "PREFECT_HOME" not in os.environ or os.environ["PREFECT_HOME"] != str(tmp_path)


def test_prefect_imported_before_follows_the_new_settings(tmp_path: Path) -> None:
    from prefect.settings import get_current_settings

    with prefect_settings(settings(tmp_path, "http://127.0.0.1:1/api")):
        assert get_current_settings().api.url == "http://127.0.0.1:1/api"
        assert get_current_settings().home == tmp_path / "prefect"
    assert get_current_settings().api.url != "http://127.0.0.1:1/api"


def test_requests_to_the_server_pass_by_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "internal.example")
    ours = settings(tmp_path, "x")
    assert ours["NO_PROXY"] == ours["no_proxy"] == "internal.example,127.0.0.1,localhost"


def test_links_open_the_newer_dashboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Server("http://127.0.0.1:4200/api").dashboard_url == "http://127.0.0.1:4200/v2"
    monkeypatch.setenv("CRAWL2CHAT_DASHBOARD_URL", "http://localhost:9/v2")
    with existing_server("http://server:4200/api/", tmp_path) as server:
        assert server.api_url == "http://server:4200/api"
        assert os.environ["PREFECT_UI_URL"] == server.dashboard_url == "http://localhost:9/v2"


@pytest.mark.parametrize(
    ("package", "below"), [("sqlalchemy", (2, 1)), ("fastapi", (0, 151)), ("prefect", (3, 9))]
)
def test_versions_that_break_prefect_are_kept_out(package: str, below: tuple[int, int]) -> None:
    """SQLAlchemy 2.1 stops the scheduler without a word; FastAPI 0.156 the server at import."""
    installed = importlib.metadata.version(package)
    assert tuple(int(part) for part in installed.split(".")[:2]) < below
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    limit = f"<{below[0]}.{below[1]}"
    assert any(line.startswith(package) and limit in line for line in project["dependencies"])
