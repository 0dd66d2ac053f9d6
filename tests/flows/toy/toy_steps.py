"""Three steps; `crawl.as_of` says how they behave: fast, `slow`, or `fails`."""

import os
import time
import warnings
from typing import Any

from storage.artifact import ArtifactRef
from storage.build import Build
from storage.steps import step
from tasks.report.page import RUN_LINE_SLOT, RUN_SLOT

SLOW_SECONDS = 120.0


@step("gather", version="1")
def gather(build: Build, source: str, as_of: str, limit: int) -> None:
    print("what a library prints")
    warnings.warn("what a library warns of", stacklevel=1)
    os.write(2, b"what a C library writes\n")
    deadline = time.monotonic() + (SLOW_SECONDS if as_of == "slow" else 0)
    done = 0
    while True:
        done += 1
        build.progress(done, 0, "pages", **{"pages/s": 7})
        if time.monotonic() >= deadline:
            break
        time.sleep(0.1)
    build.counts.read, build.counts.kept = 10, 7
    build.counts.drop("too_short", 3)
    build.add_json("pages.json", [source, as_of, limit])


@step("join", version="1")
def join(build: Build, sources: list[ArtifactRef], as_of: str) -> None:
    if as_of == "fails":
        raise ValueError("join wanted 3 apples, got 2; pick one more")
    texts = [build.path(source, "pages.json").read_text() for source in sources]
    build.add_json("joined.json", texts)


@step("report", version="1")
def report(build: Build, joined: ArtifactRef) -> None:
    page = build.scratch / "report.html"
    page.write_text(f"<h1>{joined.digest[:8]}</h1>" + "".join((*RUN_LINE_SLOT, *RUN_SLOT)))
    build.add_file("report.html", page)
    summary = build.scratch / "summary.md"
    summary.write_text("| measure | value |\n|:--|--:|\n| apples | 3 |\n")
    build.add_file("summary.md", summary)


def compose(config: Any) -> None:
    crawl = config.crawl
    gathered = [
        gather.submit(name, crawl.as_of, crawl.limit, label=name) for name in sorted(crawl.sources)
    ]
    joined = join([one.result() for one in gathered], crawl.as_of)
    report(joined)
