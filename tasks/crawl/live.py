"""A live crawl from the outside: starts the spider's process, hears how far it is, ends it."""

import contextlib
import json
import math
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from pipeline_config.live import LiveCapture
from tasks.crawl import pydoc_site
from tasks.crawl.previous import PreviousFiles
from tasks.crawl.scope import endpoint_of

ROOT = Path(__file__).parents[2]
LOG_NAME = "spider.log"
LOG_TAIL_LINES = 5
BLOCK_BYTES = 1 << 16
TIME_IS_UP = "closespider_timeout"  # Scrapy's word for it
# Scrapy ends at `max_seconds` only when what waits for its turn was asked for, each after a delay.
GRACE_SECONDS = 15.0
# The spider speaks twice a second; it is silent while it opens a capture, and in endless parsing.
MAX_SILENT_SECONDS = 900.0


@dataclass(frozen=True)
class CrawlProgress:
    """How far a crawl is: pages, the reasons of everything else, and what still waits."""

    pages: int = 0
    others: dict[str, int] = field(default_factory=dict)
    waiting: int = 0
    finished: str = ""  # "finished", "max_pages", TIME_IS_UP, or "" while it runs

    @property
    def done(self) -> int:
        """URLs that are settled."""
        return self.pages + sum(self.others.values())


def crawl(
    capture: LiveCapture,
    folder: Path,
    on_progress: Callable[[CrawlProgress], None],
    previous: PreviousFiles | None = None,
) -> CrawlProgress:
    """Captures a site into WARC files in `folder`, going on from what is there.

    What became of each URL is in the folder's findings (`findings.py`). Pages of the `previous`
    capture are asked for again, if the server can say so only when they have changed.

    Raises:
        RuntimeError: when the spider's process did not reach its end, with its last log lines, or
            hangs. What it has captured is kept, and the next call goes on from there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with served(capture) as mapped, (folder / LOG_NAME).open("ab") as log:
        job = {
            # Not model_dump(): the settings that stay out of the step's key count here.
            "capture": {name: getattr(capture, name) for name in LiveCapture.model_fields},
            "folder": str(folder),
            "mapped": mapped,
            "previous": previous.as_job() if previous else None,
        }
        inherited = filter(None, [os.environ.get("PYTHONPATH")])
        progress = CrawlProgress()
        with subprocess.Popen(
            [sys.executable, "-m", "tasks.crawl.spider"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *inherited])},
        ) as spider:
            assert spider.stdin is not None
            assert spider.stdout is not None
            try:
                # The pipe stays open: the spider ends when it closes.
                spider.stdin.write(json.dumps(job).encode() + b"\n")
                spider.stdin.flush()
                for line in heard(spider.stdout, capture.max_seconds):
                    late = replace(progress, finished=progress.finished or TIME_IS_UP)
                    progress = parse_progress(line) if line else late
                    on_progress(progress)
            finally:
                spider.kill()
    if not progress.finished:
        tail = (folder / LOG_NAME).read_text("utf-8", "replace").splitlines()[-LOG_TAIL_LINES:]
        raise RuntimeError("the crawler ended early: " + " | ".join(tail))
    return progress


def heard(stdout: IO[bytes], max_seconds: float) -> Iterator[bytes]:
    """The lines of a spider as they come; an empty one, the last, when its time is up.

    Raises:
        RuntimeError: when it has been silent for too long.
    """
    end, rest = math.inf, b""
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while (left := end - time.monotonic()) > 0:
            if not selector.select(min(left, MAX_SILENT_SECONDS)):
                if left > MAX_SILENT_SECONDS:
                    raise RuntimeError(
                        f"the crawler said nothing for {MAX_SILENT_SECONDS:g} s and was ended; "
                        "run again to go on from what it has captured"
                    )
                continue
            block = os.read(stdout.fileno(), BLOCK_BYTES)
            if not block:
                return
            *lines, rest = (rest + block).split(b"\n")
            yield from lines
            if lines and end == math.inf and max_seconds:  # the crawl has begun
                end = time.monotonic() + max_seconds + GRACE_SECONDS
    yield b""


def parse_progress(line: bytes) -> CrawlProgress:
    """One line of the spider's output."""
    said = json.loads(line)
    outcomes = dict(said["outcomes"])
    return CrawlProgress(outcomes.pop("", 0), outcomes, said["waiting"], said["finished"])


@contextlib.contextmanager
def served(capture: LiveCapture) -> Iterator[dict[str, str]]:
    """While inside, a site of our own is up; yields where its logical address leads."""
    if capture.serve == "":
        yield {}
        return
    with pydoc_site.serve() as port:
        hosts = {endpoint_of(seed) for seed in capture.seeds if urlsplit(seed).hostname}
        yield dict.fromkeys(sorted(hosts), f"127.0.0.1:{port}")
