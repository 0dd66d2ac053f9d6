"""What servers do to crawlers: each is counted by its reason, and the rest goes on."""

import gzip
import json
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

from pipeline_config.live import LiveCapture
from tasks.crawl.live import ROOT, CrawlProgress, crawl, parse_progress
from tests.tasks.crawl.sites import Answer, Site, page
from tests.tasks.crawl.test_live import capture_of, responses

# The spider, where a name has one address three times and then another; the first counts as public.
REBINDING = """
import socket
answers = iter(["127.0.0.2"] * 3)
socket.getaddrinfo = lambda host, port, *_: [
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers, "127.0.0.1"), port))
]
from tasks.crawl import addresses, spider
addresses.is_public = lambda address: address == "127.0.0.2"
spider.main()
"""


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


def test_a_name_that_turns_to_a_private_address_is_not_followed_there(tmp_path: Path) -> None:
    public = Site("127.0.0.2")
    inner = Site("127.0.0.1", public.port)
    public["/robots.txt"] = public["/.well-known/tdmrep.json"] = Answer(
        b"none", 404, {"Connection": "close"}
    )
    public["/"] = html(page("home", "/secret").encode(), Connection="close")
    public["/secret"] = inner["/secret"] = page("secret")
    seeds = (f"http://rebinding.example:{public.port}/",)
    capture = capture_of(public, seeds=seeds, allow_private=(), concurrency=1)
    values = {name: getattr(capture, name) for name in LiveCapture.model_fields}
    job = {"capture": values, "folder": str(tmp_path), "mapped": {}, "previous": None}
    with subprocess.Popen(
        [sys.executable, "-c", REBINDING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as spider:
        assert spider.stdin is not None
        assert spider.stdout is not None
        spider.stdin.write(json.dumps(job).encode() + b"\n")
        spider.stdin.flush()
        *_, last = spider.stdout
    assert parse_progress(last) == CrawlProgress(1, {"private_address": 1}, 0, "finished")
    assert set(public.hits) == {"/robots.txt", "/.well-known/tdmrep.json", "/"}
    assert inner.hits == {}
    public.close()
    inner.close()
