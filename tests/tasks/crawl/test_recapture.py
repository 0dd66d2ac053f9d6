"""What is decided of a page by more than its own answer, without a crawl."""

from pathlib import Path
from typing import Any

import pytest

from pipeline_config.live import LiveCapture
from tasks.crawl.findings import Findings, FindingsFile, load_findings
from tasks.crawl.ledger import Outcome, Page, Place
from tasks.crawl.opt_outs import TdmRule
from tasks.crawl.previous import NOTHING, Previous
from tasks.crawl.recapture import Recapture, recapture
from tasks.crawl.warc_writing import CaptureFolder, Exchange

OLD = Page(url="http://a.org/old", state="kept", content_hash="h", place=Place("0", 0, 1))


def result_of(
    folder: Path,
    findings: Findings,
    previous: Previous = NOTHING,
    redirects: dict[str, str] | None = None,
    **settings: Any,
) -> Recapture:
    capture = LiveCapture(seeds=("http://a.org/",), contact="me@example.org", **settings)
    taken = CaptureFolder(folder, 1, {})
    for url, location in (redirects or {}).items():
        headers = [("Location", location)]
        taken.append(Exchange(url, [], "HTTP/1.1 301 Moved Permanently", headers, b""))
    return recapture(capture, taken, findings, previous, "2026-11-21")


def found(*urls: str, reason: str = "", heard: bool = True) -> Findings:
    rules: dict[str, list[TdmRule]] = {"a.org": []} if heard else {}
    return Findings({url: Outcome(url, reason) for url in urls}, rules=rules)


@pytest.mark.parametrize(
    ("location", "target", "reason"),
    [
        ("/new", "http://a.org/new", "moved"),
        ("/caf%C3%A9 x", "http://a.org/caf%C3%A9%20x", "moved"),
        ("/caf\u00e9", "http://a.org/caf%C3%A9", "moved"),
        ("//a.org/new?utm_id=1#top", "http://a.org/new", "moved"),
        ("http://[oops/", "http://a.org/new", "redirected"),
        ("/elsewhere", "http://a.org/new", "redirected"),
    ],
)
def test_a_page_moves_to_where_the_crawl_was_led(
    tmp_path: Path, location: str, target: str, reason: str
) -> None:
    redirects = {OLD.url: "/hop", "http://a.org/hop": location}
    result = result_of(tmp_path, found(target), Previous({OLD.url: OLD}, {}), redirects)
    assert result.pages[OLD.url].reason == reason
    assert result.pages[OLD.url].state == ("left" if reason == "moved" else "missing")


def test_nothing_outside_the_scope_is_kept(tmp_path: Path) -> None:
    urls = ("http://a.org/1", "http://b.org/1", "http://a.org/print/1")
    result = result_of(tmp_path, found(*urls), deny=("/print/",))
    assert set(result.pages) == {"http://a.org/1"}
    assert result.counts.dropped == {"off_host": 1, "denied": 1}
    assert result.counts.examples == {"off_host": ["http://b.org/1"], "denied": [urls[2]]}


def test_where_reservations_are_unknown_pages_stay_as_they_were(tmp_path: Path) -> None:
    findings = found(OLD.url, "http://a.org/new", heard=False)
    result = result_of(tmp_path, findings, Previous({OLD.url: OLD}, {}))
    assert result.pages == {OLD.url: OLD}
    assert result.not_reached == {"tdm_unreachable": 1}
    assert result.counts.dropped == {"tdm_unreachable": 1}
    assert len(result_of(tmp_path, findings, opt_outs=("noai",)).pages) == 2


def test_a_page_stays_when_the_one_it_moved_to_is_not_reached(tmp_path: Path) -> None:
    previous = Previous({OLD.url: OLD}, {})
    findings = found("http://a.org/new", reason="status_503")
    assert result_of(tmp_path, findings, previous, {OLD.url: "/new"}).pages == {OLD.url: OLD}


def test_links_that_were_not_followed_are_counted(tmp_path: Path) -> None:
    file = FindingsFile(tmp_path)
    file.page(Outcome("http://a.org/"))
    file.rules("a.org", [])
    file.links_left(3)
    file.links_left(4)
    file.close()
    assert result_of(tmp_path, load_findings(tmp_path)).counts.dropped == {"too_many_links": 7}
