"""What a site says of its pages beside their links: sitemaps, opt-outs, own addresses, patterns."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline_config.live import LiveCapture
from tasks.crawl.findings import load_findings
from tasks.crawl.live import crawl
from tasks.crawl.previous import NOTHING
from tasks.crawl.recapture import Recapture, recapture
from tasks.crawl.warc_writing import CaptureFolder
from tests.tasks.crawl.sites import Answer, Site, page
from tests.tasks.crawl.test_live import capture_of

XMLNS = "xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'"


def sitemap(*urls: str, kind: str = "urlset", entry: str = "url") -> bytes:
    entries = "".join(f"<{entry}><loc>{url}</loc></{entry}>" for url in urls)
    return f"<?xml version='1.0'?><{kind} {XMLNS}>{entries}</{kind}>".encode()


def with_head(title: str, head: str) -> bytes:
    return page(title).replace("<head>", f"<head>{head}").encode()


def captured(capture: LiveCapture, folder: Path) -> Recapture:
    crawl(capture, folder, lambda _: None)
    taken = CaptureFolder(folder, capture.num_files, {})
    return recapture(capture, taken, load_findings(folder), NOTHING, "2026-11-21")


def paths(site: Site, found: Recapture) -> set[str]:
    return {url.removeprefix(site.url("")) for url in found.pages}


@pytest.fixture(scope="module")
def signals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Recapture]]:
    """One crawl of a site that says much."""
    site = Site()
    texts = {"Content-Type": "text/plain"}
    site["/robots.txt"] = Answer(
        f"Sitemap: {site.url('/index.xml')}\nSitemap: /list.txt\n"
        "Sitemap: http://elsewhere.example/s.xml\nUser-agent: *\nDisallow: /hidden\n".encode(),
        headers=texts,
    )
    site["/index.xml"] = sitemap(
        site.url("/a.xml.gz"), site.url("/broken.xml"), site.url("/none.xml"),
        kind="sitemapindex", entry="sitemap",
    )  # fmt: skip
    listed = [site.url(path) for path in ("/listed", "/hidden/1", "/print/1", "/listed#part")]
    listing = sitemap(*listed, "http://elsewhere.example/")
    site["/a.xml.gz"] = Answer(
        gzip.compress(listing, mtime=0), headers={"Content-Type": "application/gzip"}
    )
    site["/broken.xml"] = Answer(b"<urlset><", headers={"Content-Type": "text/xml"})
    site["/list.txt"] = Answer(f"{site.url('/lined')}\n".encode(), headers=texts)
    rules = [
        {"location": "/reserved/free", "tdm-reservation": 0},
        {"location": "/reserved/", "tdm-reservation": 1},
        {"location": "/*.pdf$", "tdm-reservation": "1"},
    ]
    site["/.well-known/tdmrep.json"] = Answer(json.dumps(rules).encode(), headers=texts)
    html = {"Content-Type": "text/html"}
    answers: dict[str, Answer | bytes] = {
        "/noindex": Answer(page("1").encode(), headers={**html, "X-Robots-Tag": "noindex"}),
        "/other": Answer(page("2").encode(), headers={**html, "X-Robots-Tag": "otherbot: noindex"}),
        "/none": with_head("3", "<meta name='Robots' content='NONE'>"),
        "/noai": with_head("4", "<meta name='crawl2chat' content='noai, noimageai'>"),
        "/noimageai": with_head("5", "<meta name=robots content=noimageai>"),
        "/tdm": Answer(page("6").encode(), headers={**html, "TDM-Reservation": "1"}),
        "/reserved/1": page("7").encode(),
        "/reserved/free": page("8").encode(),
        "/reserved/said": with_head("9", "<meta name='tdm-reservation' content='0'>"),
        "/twin?utm_source=x&b": page("10").encode(),
        "/twin?b": page("10").encode(),
        "/mirror": with_head("11", "<link rel=canonical href='/original#x'>"),
        "/original": with_head("11", "<link rel=canonical href='/original'>"),
        "/lonely": with_head("12", "<link rel=canonical href='/not/there'>"),
        "/ping": with_head("13", "<link rel=canonical href='/pong'>"),
        "/pong": with_head("13", "<link rel=canonical href='/ping'>"),
        "/print/2": page("14").encode(),
        "/refresh": with_head("15", "<meta http-equiv=refresh content='60'>"),
        "/nofollow": with_head("16", "<meta name=robots content=nofollow>").replace(
            b"</body>", b"<a href='/beyond'>x</a></body>"
        ),
    }
    for path in ("/listed", "/lined", "/print/1", "/hidden/1", "/beyond"):
        site[path] = page(path)
    for path, said in answers.items():
        site[path] = said
    linked = [path for path in answers if path not in ("/original", "/twin?b")]
    site["/"] = page("home", *linked)
    capture = capture_of(site, deny=("/print/",), concurrency=8)
    yield site, captured(capture, tmp_path_factory.mktemp("signals"))
    site.close()


def test_the_pages_of_sitemaps_are_asked_for(signals: tuple[Site, Recapture]) -> None:
    site, found = signals
    assert {"/listed", "/lined"} <= paths(site, found)
    for path in ("/index.xml", "/a.xml.gz", "/list.txt", "/broken.xml", "/none.xml", "/listed"):
        assert site.hits[path] == 1, path
    assert found.counts.dropped["robots_disallowed"] == 1  # /hidden/1, which a sitemap lists
    assert site.hits["/hidden/1"] == 0
    assert all(page.depth == 1 for url, page in found.pages.items() if "/li" in url)


def test_pages_whose_site_opts_out_are_left_out(signals: tuple[Site, Recapture]) -> None:
    site, found = signals
    assert {k: v for k, v in found.counts.dropped.items() if k.startswith("opted_out")} == {
        "opted_out_noindex": 2,
        "opted_out_noai": 1,
        "opted_out_noimageai": 1,
        "opted_out_tdm": 2,
    }
    assert {"/other", "/reserved/free", "/reserved/said"} <= paths(site, found)


def test_a_page_is_taken_once_and_under_its_own_address(signals: tuple[Site, Recapture]) -> None:
    site, found = signals
    assert found.counts.dropped["not_canonical"] == 1  # /mirror
    assert {"/original", "/lonely", "/ping", "/pong", "/twin?b"} <= paths(site, found)
    assert site.hits["/twin?utm_source=x&b"] == 0


def test_patterns_and_directives_bound_the_crawl(signals: tuple[Site, Recapture]) -> None:
    site, found = signals
    assert {"/nofollow", "/refresh"} <= paths(site, found)
    for path in ("/beyond", "/print/1", "/print/2"):
        assert site.hits[path] == 0, path


def test_a_policy_chooses_the_signals(tmp_path: Path) -> None:
    site = Site()
    site["/"] = with_head("home", "<meta name=robots content='noai'>")
    site["/.well-known/tdmrep.json"] = b'[{"location": "/", "tdm-reservation": 1}]'
    site["/sitemap.xml"] = sitemap(site.url("/kept/1"), site.url("/other"))
    site["/kept/1"] = with_head("1", "<meta name=robots content='noindex'>")
    settings: dict[str, Any] = {
        "opt_outs": ("noindex",),
        "sitemaps": (site.url("/sitemap.xml"),),
        "allow": ("/kept/",),
    }
    found = captured(capture_of(site, **settings), tmp_path)
    assert paths(site, found) == {"/"}  # a seed, which patterns do not bind
    assert found.counts.dropped == {"opted_out_noindex": 1}
    assert site.hits["/.well-known/tdmrep.json"] == site.hits["/other"] == 0
    site.close()
