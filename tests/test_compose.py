"""The compose file: valid, with no password inside, and open to this machine only."""

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_follows_the_compose_schema() -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.compose-spec",
            str(ROOT / "docker-compose.yml"),
        ],
        check=True,
    )


def test_has_a_database_a_server_a_worker_and_a_store(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"database", "server", "worker"}
    assert "store:/store" in compose["services"]["worker"]["volumes"]
    assert {"database", "store"} == set(compose["volumes"])
    worker = compose["services"]["worker"]
    assert worker["environment"]["CRAWL2CHAT_STORE"] == "/store"
    assert worker["depends_on"] == {"server": {"condition": "service_healthy"}}


def test_every_port_is_published_on_loopback_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert "ports" not in compose["services"]["database"]


def test_password_comes_from_the_environment_and_has_no_default(compose: dict[str, Any]) -> None:
    text = json.dumps(compose)
    uses = re.findall(r"\$\{POSTGRES_PASSWORD[^}]*\}", text)
    assert len(uses) == 2
    assert set(uses) == {"${POSTGRES_PASSWORD:?set it in .env}"}
    for name, value in compose["services"]["database"]["environment"].items():
        assert "PASSWORD" not in name or value.startswith("${")


def test_server_and_worker_run_one_pinned_image(compose: dict[str, Any]) -> None:
    server, worker = compose["services"]["server"], compose["services"]["worker"]
    assert server["image"] == worker["image"]
    assert server["build"] == worker["build"]
    assert "constraints.txt" in server["build"]["dockerfile_inline"]
    for service in compose["services"].values():
        assert re.search(r":\d+\.\d+", service["image"]), "a tag that does not move"


def test_worker_command_is_one_that_the_command_line_knows(compose: dict[str, Any]) -> None:
    from flows.__main__ import build_app

    program, *arguments = compose["services"]["worker"]["command"]
    assert program == "crawl2chat"
    command, bound, *_ = build_app().parse_args(arguments, exit_on_error=False, print_error=False)
    assert command.__name__ == "up"
    assert bound.arguments["pages_port"] == 4201


def test_work_pool_deployments_name_flows_that_exist() -> None:
    from flows.prefect_flows import PREFECT_FLOWS

    loaded = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    entrypoints = [deployment["entrypoint"] for deployment in loaded["deployments"]]
    assert entrypoints == [
        f"flows.prefect_flows.{flow.__name__}" for flow in PREFECT_FLOWS.values()
    ]
    assert loaded["prefect-version"] == importlib.metadata.version("prefect")
