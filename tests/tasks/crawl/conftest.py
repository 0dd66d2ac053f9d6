"""Fixtures of the crawl stage."""

from collections.abc import Iterator

import pytest

from tests.tasks.crawl.sites import Site


@pytest.fixture
def site() -> Iterator[Site]:
    found = Site()
    yield found
    found.close()
