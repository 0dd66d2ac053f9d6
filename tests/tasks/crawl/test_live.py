"""The real spider in its process against a real server on loopback."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import pytest
from fastwarc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator

from pipeline_config.live import LiveCapture
from tasks.crawl import live
from tasks.crawl.findings import load_findings
from tasks.crawl.live import ROOT, TIME_IS_UP, CrawlProgress, crawl
from tasks.crawl.warc_writing import CaptureFolder
from tests.tasks.crawl.sites import Answer, Site, page


def capture_of(site: Site, **changes: Any) -> LiveCapture:
    settings: dict[str, Any] = {
        "seeds": (site.url(),),
        "allow_private": (f"127.0.0.1:{site.port}",),
        "contact": "me@example.org",
        "delay_seconds": 0,
        "retries": 0,
        "num_files": 2,
        "max_page_bytes": 20_000,
    }
    return LiveCapture(**{**settings, **changes})


def crawled(
    capture: LiveCapture, folder: Path, heard: Callable[[CrawlProgress], None] = lambda _: None
) -> CrawlProgress:
    return crawl(capture, folder, heard)


def responses(folder: Path) -> dict[str, tuple[str, str | None]]:
    """Status and truncation of each URL that warcio reads, its digests checked."""
    found = {}
    for path in sorted(folder.glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, check_digests="raise"):
                record.content_stream().read()
                if record.rec_type == "response":
                    url = record.rec_headers.get_header("WARC-Target-URI")
                    assert url not in found, f"{url} was stored twice"
                    truncated = record.rec_headers.get_header("WARC-Truncated")
                    found[url] = (record.http_headers.get_statuscode(), truncated)
    return found


def test_a_crawl_keeps_to_robots_scope_types_and_sizes(site: Site, tmp_path: Path) -> None:
    elsewhere = Site()
    site["/robots.txt"] = Answer(
        b"User-agent: *\nDisallow: /private\n", headers={"Content-Type": "text/plain"}
    )
    site["/"] = page(
        "home", "/a", "/private/x", "/moved", "/away", "/broken", "/big", "/image", "/none#part",
        elsewhere.url("/other"), "mailto:me@example.org", "ftp://127.0.0.1/x",
    )  # fmt: skip
    site["/a"] = page("a", "/", "/a", "/deep/b?x=1")
    site["/deep/b?x=1"] = page("b")
    site["/moved"] = Answer(status=301, headers={"Location": "/target"})
    site["/target"] = page("target")
    site["/away"] = Answer(status=302, headers={"Location": elsewhere.url("/other")})
    site["/broken"] = Answer(b"<p>sorry</p>", 500)
    site["/big"] = "<p>" + "x" * 50_000
    site["/image"] = Answer(b"\x89PNG" * 100, headers={"Content-Type": "image/png"})

    running: list[str] = []
    most: list[int] = []

    def briefly(path: str) -> None:
        running.append(path)
        most.append(len(running))
        time.sleep(0.02)
        running.remove(path)

    site.before_answer = briefly
    result = crawled(capture_of(site, concurrency=2), tmp_path)

    # Two, and now and then one more: a stopped download closes its connection, and what was sent
    # on it meanwhile is sent again while the server still works on the first.
    assert max(most) <= 3
    assert result.finished == "finished"
    assert result.pages == 4  # home, a, b, target
    assert result.others == {
        "robots_disallowed": 1,
        "status_404": 1,
        "status_500": 1,
        "too_large": 1,
        "not_html": 1,
        "off_host": 1,
    }
    assert site.hits["/private/x"] == 0
    assert elsewhere.hits == {}
    assert sum(site.hits.values()) <= 12 + 2
    assert site.user_agents == {"crawl2chat (+me@example.org)"}
    assert site.cookies == {""}

    stored = {url.removeprefix(site.url("")): said for url, said in responses(tmp_path).items()}
    assert stored == {
        "/robots.txt": ("200", None),
        "/.well-known/tdmrep.json": ("404", None),
        "/": ("200", None),
        "/a": ("200", None),
        "/deep/b?x=1": ("200", None),
        "/moved": ("301", None),
        "/target": ("200", None),
        "/away": ("302", None),
        "/broken": ("500", None),
        "/none": ("404", None),
        "/big": ("200", "length"),
        "/image": ("200", "unspecified"),
    }
    kinds = []
    for path in sorted(tmp_path.glob("*.warc.gz")):
        with path.open("rb") as file:
            kinds += [str(record.record_type).split(".")[-1] for record in FastIterator(file)]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "warcinfo": 3,
        "response": 12,
        "request": 12,
    }
    elsewhere.close()


def test_a_crawl_killed_in_the_middle_goes_on_and_asks_for_nothing_twice(
    site: Site, tmp_path: Path
) -> None:
    links = [f"/p{number}" for number in range(30)]
    site["/"] = page("home", *links)
    for link in links:
        site[link] = page(link)
    killed = threading.Event()

    def kill_at_twelve(path: str) -> None:
        if sum(site.hits.values()) == 12 and not killed.is_set():
            killed.set()
            for child in children(os.getpid()):
                if "tasks.crawl.spider" in child.cmdline():
                    child.kill()
            time.sleep(0.2)  # its answer comes too late

    site.before_answer = kill_at_twelve
    capture = capture_of(site, concurrency=1)
    with pytest.raises(RuntimeError, match="the crawler ended early"):
        crawled(capture, tmp_path)
    assert killed.is_set()
    before = dict(site.hits)
    kept = {url.removeprefix(site.url("")) for url in responses(tmp_path)}
    assert 2 < len(kept) < 12
    torn = next(tmp_path.glob("*.warc.gz"))
    torn.write_bytes(torn.read_bytes() + b"\x1f\x8b\x08\x00half a record")

    result = crawled(capture, tmp_path)

    assert result.pages == 31
    again = {path for path, hits in site.hits.items() if hits > before.get(path, 0)}
    assert again.isdisjoint(kept)
    assert len(responses(tmp_path)) == 33  # with robots.txt and tdmrep.json, both 404


def test_a_budget_ends_the_crawl_near_the_seeds(site: Site, tmp_path: Path) -> None:
    site["/"] = page("home", *[f"/p{number}" for number in range(40)])
    for number in range(40):
        site[f"/p{number}"] = page(f"p{number}", f"/deeper{number}")
    result = crawled(capture_of(site, max_pages=10), tmp_path)
    assert result.finished == "max_pages"
    assert result.pages == 10
    assert sum(site.hits.values()) == 12  # with robots.txt and tdmrep.json
    assert not [path for path in site.hits if path.startswith("/deeper")]


def test_delay_concurrency_and_depth_are_kept(site: Site, tmp_path: Path) -> None:
    site["/robots.txt"] = b"User-agent: *\nCrawl-delay: 0.2\n"
    site["/"] = page("home", *[f"/p{number}" for number in range(8)])
    for number in range(8):
        site[f"/p{number}"] = page(f"p{number}", "/deeper")
    running: list[int] = []
    begun: list[float] = []

    def slowly(path: str) -> None:
        begun.append(time.monotonic())
        running.append(1)
        most.append(len(running))
        time.sleep(0.05)
        running.pop()

    most: list[int] = []
    site.before_answer = slowly
    result = crawled(capture_of(site, max_depth=1, concurrency=1), tmp_path / "slow")
    assert result.pages == 9
    assert site.hits["/deeper"] == 0
    # Eleven answers, asked for 0.2 s apart; on a busy machine one may be long on its way.
    assert len(begun) == 11
    assert median(after - before for before, after in pairwise(begun)) > 0.15
    assert begun[-1] - begun[0] > 10 * 0.2 - 0.2
    assert max(most) == 1


def test_a_repeated_request_stays_within_the_scope(site: Site, tmp_path: Path) -> None:
    elsewhere = Site()
    elsewhere["/x"] = site["/private/x"] = page("x")
    moves = {"/away": elsewhere.url("/x"), "/inside": "/private/x"}
    site["/"] = page("home", *moves)

    def busy_once(path: str) -> None:
        if path in moves:
            moved = Answer(status=302, headers={"Location": moves[path]})
            site[path] = Answer(b"busy", 503) if site.hits[path] == 1 else moved

    site.before_answer = busy_once
    allowed = tuple(f"127.0.0.1:{one.port}" for one in (site, elsewhere))
    capture = capture_of(site, retries=1, deny=("/private/",), allow_private=allowed)
    result = crawled(capture, tmp_path)
    assert result.others == {"off_host": 1, "denied": 1}
    assert elsewhere.hits == {}
    assert [site.hits[path] for path in ("/away", "/inside", "/private/x")] == [2, 2, 0]
    elsewhere.close()


def test_a_redirect_leads_to_the_form_of_an_address(site: Site, tmp_path: Path) -> None:
    moves = {
        "/tracked": "/target?utm_source=x#top",
        "/plain": "/caf\xc3\xa9 x",  # the bytes of an é in UTF-8
        "/broken": "http://[oops/",
        "/session": "/session;jsessionid=1",
    }
    site["/"] = page("home", *moves)
    for path, location in moves.items():
        site[path] = Answer(status=301, headers={"Location": location})
    for path in ("/target", "/caf%C3%A9%20x", "/session;jsessionid=1"):
        site[path] = page(path)
    result = crawled(capture_of(site), tmp_path)
    assert (result.pages, result.others) == (4, {"status_301": 1})
    stored = CaptureFolder(tmp_path, 2, {}).read(site.url("/plain"))
    assert stored is not None
    assert stored.header("Location") == "/caf%C3%A9 x"


def test_a_capture_ends_when_its_time_is_up(site: Site, tmp_path: Path) -> None:
    links = [f"/p{number}" for number in range(100)]
    site["/"] = page("home", *links)
    for link in links:
        site[link] = page(link)
    result = crawled(capture_of(site, max_seconds=1.0, delay_seconds=0.2), tmp_path)
    assert result.finished == TIME_IS_UP
    assert 0 < result.pages < 50


def test_a_spider_that_does_not_end_in_time_is_ended(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "GRACE_SECONDS", 1.0)
    site["/"] = page("home", "/endless")
    over = threading.Event()
    site.before_answer = lambda path: over.wait(60) and None if path == "/endless" else None
    capture = capture_of(site, max_seconds=2.0, timeout_seconds=60.0)
    result = crawled(capture, tmp_path)
    over.set()
    assert result == CrawlProgress(1, {}, result.waiting, TIME_IS_UP)
    assert set(load_findings(tmp_path).outcomes) == {site.url()}
    assert crawled(capture, tmp_path).others == {"status_404": 1}  # it goes on


def test_a_spider_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_SILENT_SECONDS", 0.05)
    reading, writing = os.pipe()
    with open(reading, "rb") as stdout, open(writing, "wb", buffering=0) as spider:
        spider.write(b"one\ntwo\nthr")
        said = live.heard(stdout, 0)
        assert [next(said), next(said)] == [b"one", b"two"]
        with pytest.raises(RuntimeError, match="said nothing"):
            next(said)


def test_a_private_address_is_refused_unless_named(site: Site, tmp_path: Path) -> None:
    site["/"] = page("home")
    named = (f"127.0.0.1:{site.port + 1}", f"localhost:{site.port}")  # another port, another name
    result = crawled(capture_of(site, allow_private=named), tmp_path)
    assert result.pages == 0
    assert result.others == {"private_address": 1}
    assert site.hits == {}


def test_a_host_whose_robots_txt_fails_is_left_alone(site: Site, tmp_path: Path) -> None:
    site["/robots.txt"] = Answer(b"busy", 503)
    site["/"] = page("home")
    result = crawled(capture_of(site), tmp_path)
    assert (result.pages, result.others) == (0, {"robots_unreachable": 1})
    assert site.hits == {"/robots.txt": 1}


def test_the_spider_ends_with_its_parent(site: Site, tmp_path: Path) -> None:
    site["/"] = page("home", *[f"/p{number}" for number in range(200)])
    asked = threading.Event()
    site.before_answer = lambda path: asked.set() if path == "/" else time.sleep(0.3)
    program = (
        "import sys\nfrom pathlib import Path\nfrom pipeline_config.live import LiveCapture\n"
        "from tasks.crawl.live import crawl\n"
        "crawl(LiveCapture.model_validate_json(sys.argv[1]), Path(sys.argv[2]), lambda _: None)\n"
    )
    job = capture_of(site).model_dump_json()
    with subprocess.Popen(
        [sys.executable, "-c", program, job, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as parent:
        assert asked.wait(60)
        [spider] = children(parent.pid)
        parent.kill()
    until = time.monotonic() + 10
    while time.monotonic() < until and runs(spider):
        time.sleep(0.05)
    assert not runs(spider)


def children(parent: int) -> list[psutil.Process]:
    """The processes that a process has started."""
    return psutil.Process(parent).children()


def runs(process: psutil.Process) -> bool:
    """Whether a process is there, and is more than its own remains."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
