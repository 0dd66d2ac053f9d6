"""What servers do to crawlers: each is counted by its reason, and the rest goes on."""

import gzip
import time
from itertools import pairwise
from pathlib import Path

from pipeline_config.live import LiveCapture
from tasks.crawl.live import CrawlProgress, crawl
from tests.tasks.crawl.sites import Answer, Site, page
from tests.tasks.crawl.test_live import capture_of, responses


def crawled(capture: LiveCapture, folder: Path) -> CrawlProgress:
    return crawl(capture, folder, lambda _: None)


def html(body: bytes, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(body, headers={"Content-Type": "text/html", **names})


def test_a_bad_server_costs_its_own_pages_only(site: Site, tmp_path: Path) -> None:
    inner = Site()
    inner["/secret"] = page("secret")
    site["/robots.txt"] = Answer(
        b"User-agent: *\nDisallow: /private\n" + b"# so it goes\n" * 4_000_000 + b"Disallow: /\n",
        headers={"Content-Type": "text/plain"},
    )
    bad = ("/loop0", "/slow", "/bomb", "/zip", "/deep", "/nul", "/liar", "/endless", "/private")
    away = f"http://localhost:{inner.port}/secret"
    site["/"] = page("home", *bad, "/inside", away, "/last")
    for step in range(30):
        site[f"/loop{step}"] = Answer(status=302, headers={"Location": f"/loop{step + 1}"})
    site["/slow"] = Answer(b"<p>slowly</p>" * 100, seconds_per_byte=1.0)
    site["/bomb"] = html(gzip.compress(b"0" * 30_000_000), Content_Encoding="gzip")
    site["/zip"] = html(b"\x00\x01\x02", Content_Encoding="snappy")
    site["/deep"] = html(b"<div>" * 100_000 + b"deep")
    site["/nul"] = html(b"<p>a\x00b</p><a href='/\xff\xfe'>\xed\xa0\x80</a>" * 3)
    site["/liar"] = html(b"<p>short</p>", Content_Length="1000000000")
    site["/endless"] = html(b"<p>" + b"x" * 2_000_000)
    site["/inside"] = Answer(status=302, headers={"Location": away})
    site["/last"] = page("last")
    capture = capture_of(
        site,
        hosts=(f"127.0.0.1:{site.port}", f"localhost:{inner.port}"),
        timeout_seconds=1.0,
        max_page_bytes=1_000_000,
        concurrency=8,
    )
    begun = time.monotonic()
    result = crawled(capture, tmp_path)

    assert result.finished == "finished"
    assert time.monotonic() - begun < 20
    assert result.others == {
        "too_many_redirects": 1,
        "failed_timeout": 1,
        "too_large": 3,  # bomb, liar, endless
        "broken_encoding": 1,
        "private_address": 1,
        "robots_disallowed": 1,
        "status_404": 1,  # /ÿþ
    }
    assert result.pages == 4  # home, deep, nul, last
    assert inner.hits == {}
    assert site.hits["/loop10"] == 1
    assert site.hits["/loop11"] == 0
    stored = responses(tmp_path)
    assert stored[site.url("/robots.txt")] == ("200", "length")
    assert sum(path.stat().st_size for path in tmp_path.glob("*.warc.gz")) < 1_000_000
    inner.close()


def test_a_robots_txt_counts_as_far_as_it_can_be_had(tmp_path: Path) -> None:
    sites = {name: Site() for name in ("slow", "bomb", "five", "six", "html")}
    for site in sites.values():
        site["/"] = page("home")
    rules = b"User-agent: *\nDisallow: /\n"
    sites["slow"]["/robots.txt"] = Answer(rules * 9, seconds_per_byte=1.0)
    sites["bomb"]["/robots.txt"] = html(gzip.compress(b"#" * 30_000_000), Content_Encoding="gzip")
    sites["html"]["/robots.txt"] = page("no such page")
    for name, hops in (("five", 5), ("six", 6)):
        chain = ["/robots.txt", *(f"/r{number}" for number in range(1, hops + 1))]
        for here, there in pairwise(chain):
            sites[name][here] = Answer(status=301, headers={"Location": there})
        sites[name][chain[-1]] = Answer(rules)
    capture = capture_of(
        sites["html"],
        seeds=tuple(site.url() for site in sites.values()),
        allow_private=tuple(f"127.0.0.1:{site.port}" for site in sites.values()),
        timeout_seconds=1.0,
    )
    result = crawled(capture, tmp_path)

    assert result.pages == 2
    assert result.others == {"robots_unreachable": 2, "robots_disallowed": 1}
    assert {name for name, site in sites.items() if site.hits["/"]} == {
        "html",  # no rules in it
        "six",  # RFC 9309, 2.3.1.2: behind five redirects it counts as absent
    }
    for site in sites.values():
        site.close()
