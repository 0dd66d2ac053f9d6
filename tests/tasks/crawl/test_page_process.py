import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from pipeline_config.extraction import ExtractionConfig
from tasks.crawl.html_text import page_text
from tasks.crawl.page_process import PageProcess
from tasks.crawl.page_text import NoTextError, PageText
from tests.tasks.crawl.sites import page

GOOD = page("good").encode()


def busy() -> None:
    """Compiled code that hears of no Python exception."""
    while True:
        pow(3, 10_000_019, 10**4_000)


def obstinate() -> None:
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            continue


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def odd() -> None:
    raise ZeroDivisionError("a mistake in an extractor")


@pytest.mark.parametrize(
    ("disaster", "reason"),
    [(busy, "timeout"), (obstinate, "timeout"), (killed, "crashed"), (odd, "crashed")],
)
def test_a_disaster_costs_its_page_only(
    monkeypatch: pytest.MonkeyPatch, disaster: Callable[[], None], reason: str
) -> None:
    def extract(body: bytes, *rest: Any) -> PageText:
        if body == b"bad":
            disaster()
        return page_text(body, *rest)

    monkeypatch.setattr("tasks.crawl.page_process.page_text", extract)
    # A good page takes milliseconds; on a machine with other work, the first may take a second.
    with PageProcess(ExtractionConfig(max_page_seconds=4)) as pages:
        before = pages.page_text(GOOD, "http://a.org/", "", "")
        with pytest.raises(NoTextError, match=f"^{reason}$"):
            pages.page_text(b"bad", "http://a.org/", "", "")
        assert pages.page_text(GOOD, "http://a.org/", "", "") == before


def test_one_child_reads_all_pages_and_ends_with_them() -> None:
    with PageProcess(ExtractionConfig()) as pages:
        assert pages.process is None
        pages.page_text(GOOD, "http://a.org/", "", "")
        child = pages.process
        assert child is not None
        child_id = child.pid
        assert child_id is not None
        with pytest.raises(NoTextError, match="empty_text"):
            pages.page_text(b"", "http://a.org/", "", "")
        assert pages.process is child
    with pytest.raises(ProcessLookupError):
        os.kill(child_id, 0)


def test_a_child_ends_when_its_parent_is_killed() -> None:
    told, tell = os.pipe()
    parent = os.fork()
    if not parent:
        pages = PageProcess(ExtractionConfig())
        pages.page_text(GOOD, "http://a.org/", "", "")
        assert pages.process is not None
        os.write(tell, f"{pages.process.pid}\n".encode())
        signal.pause()
    child = int(os.read(told, 100))
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    assert ends_within(child, seconds=10)


def ends_within(process: int, seconds: float) -> bool:
    """Whether a process ends, or waits for a parent that never asks."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        try:
            with open(f"/proc/{process}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        os.sched_yield()
    return False
