"""Fixtures that every room uses: a store, and steps that run without a Prefect server."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from pydantic import BaseModel

from storage.session import Session, session
from storage.store import Store

# A loaded machine must not fail a property: the suite has one time limit, pytest's own.
settings.register_profile("crawl2chat", deadline=None, derandomize=True)
settings.load_profile("crawl2chat")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The reruns first: a quarter of the whole time is theirs, in one file, on one worker."""
    items.sort(key=lambda item: item.path.name != "test_rerun.py")


class NoConfig(BaseModel):
    """A configuration with nothing to turn."""


@pytest.fixture(scope="session")
def oracles() -> Path:
    """The folder with real data that is no part of the project; set but absent is a failure."""
    folder = os.environ.get("CRAWL2CHAT_ORACLES")
    if not folder:
        pytest.skip("CRAWL2CHAT_ORACLES names no folder with real data")
    assert Path(folder).is_dir(), f"CRAWL2CHAT_ORACLES={folder} is no folder"
    return Path(folder)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


@pytest.fixture
def direct(store: Store) -> Iterator[Session]:
    """A session whose steps run at once, without Prefect."""
    with session(
        store, flow="test", preset="test", config=NoConfig(), workers=2, through_prefect=False
    ) as current:
        yield current
