"""The settings of Prefect's server and clients here; the user's own are neither read nor changed.

Prefect reads its environment, a profile in its home folder, and files in the working folder, and
the environment wins. So all of it is given there, and every `PREFECT_…` of the user is put aside.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

SEND_SECONDS = 10.0


def settings(home: Path, api_url: str) -> dict[str, str]:
    """The environment of Prefect's server and clients: this store's, private, silent."""
    user = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    no_proxy = ",".join(filter(None, [user, "127.0.0.1,localhost"]))
    return {
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,  # read first where both are set
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_PROFILES_PATH": str(home / "prefect" / "profiles.toml"),
        "PREFECT_API_URL": api_url,
        "PREFECT_UI_URL": dashboard_url(api_url),
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",  # locks its database; never wanted here
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",  # older than 90 days
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_LOG_RETRYABLE_ERRORS": "true",  # `database is locked`: a 503 to the client
        "PREFECT_RUNNER_POLL_FREQUENCY": "3",  # seconds
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
        "PREFECT_CLI_PROMPT": "false",
    }


def dashboard_url(api_url: str) -> str:
    """Links without `/v2` open the older interface; in a container the browser's way differs."""
    return os.environ.get("CRAWL2CHAT_DASHBOARD_URL") or api_url.removesuffix("/api") + "/v2"


@contextlib.contextmanager
def prefect_settings(variables: Mapping[str, str]) -> Iterator[None]:
    """Replaces every Prefect setting of this process and its children by `variables`.

    Prefect reads its environment when it is first imported, so import it inside the block; where
    it was imported before (in tests), its settings are entered again.
    """
    names = {name for name in os.environ if name.upper().startswith("PREFECT_")} | set(variables)
    saved = {name: os.environ.get(name) for name in names}
    _set_environment({name: variables.get(name) for name in names})
    try:
        with _settings_entered_again() if "prefect" in sys.modules else contextlib.nullcontext():
            try:
                yield
            finally:
                send_what_waits()
    finally:
        _set_environment(saved)


def send_what_waits() -> None:
    """Prefect sends logs and task states from background threads; a server that ends loses them."""
    if "prefect" not in sys.modules:
        return
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    EventsWorker.drain_all(timeout=SEND_SECONDS)
    APILogWorker.drain_all(timeout=SEND_SECONDS)


def _set_environment(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def _settings_entered_again() -> Iterator[None]:
    from prefect.context import use_profile
    from prefect.settings import Profile

    with use_profile(Profile(name="crawl2chat", settings={}), include_current_context=False):
        yield
