"""Rules for crawlers: robots.txt against a short reading of RFC 9309, reservations, pauses."""

import gzip
import json
import re
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
)

from tasks.crawl.live import CrawlProgress, crawl
from tasks.crawl.opt_outs import TDM_FILE
from tasks.crawl.site_rules import OwnRobotParser, SiteRules, own_groups
from tests.tasks.crawl.sites import Answer, Site, page
from tests.tasks.crawl.test_live import capture_of
from tests.tasks.crawl.test_site_signals import captured, paths

ROBOT = "crawl2chat"
TEXT = {"Content-Type": "text/plain"}


# ---- robots.txt


def allowed_by_standard(lines: list[str], path: str) -> bool:
    """RFC 9309, 2.2: the groups of our name, or else those of all; the longest rule; allow wins."""
    groups: list[tuple[set[str], list[tuple[str, str]]]] = []
    for line in lines:
        key, _, value = (part.strip() for part in line.partition("#")[0].partition(":"))
        if key.lower() == "user-agent":
            if not groups or groups[-1][1]:  # rules are behind us: another group begins
                groups.append((set(), []))
            groups[-1][0].add(value.lower())
        elif key.lower() in ("allow", "disallow") and groups:
            groups[-1][1].append((key.lower(), value))
    name = ROBOT if any(ROBOT in agents for agents, _ in groups) else "*"
    best = (0, True)
    for kind, pattern in (rule for agents, rules in groups if name in agents for rule in rules):
        expression = re.escape(pattern.removesuffix("$")).replace(r"\*", ".*")
        if pattern and re.match(expression + (r"\Z" if pattern.endswith("$") else ""), path):
            best = max(best, (len(pattern), kind == "allow"))
    return best[1]


AGENTS = st.sampled_from(["*", ROBOT, ROBOT.upper(), "crawl", "crawl2chatter", "chat", "otherbot"])
PATTERNS = st.one_of(
    st.just(""), st.from_regex(r"/[ab/*]{0,5}\$?", fullmatch=True), st.just("*"), st.just("*b$")
)
LINES = st.one_of(
    st.builds("{}: {}".format, st.sampled_from(["User-agent", "USER-AGENT"]), AGENTS),
    st.builds("{}:{} # why".format, st.sampled_from(["Allow", "Disallow", " disallow"]), PATTERNS),
    st.sampled_from(["", "# a comment", "Sitemap: http://a.org/s.xml"]),
)


@given(st.lists(LINES, max_size=12), st.from_regex(r"/[ab/]{0,6}", fullmatch=True))
@example(["User-agent: crawl", "Allow: /", "User-agent: *", "Disallow: /"], "/a")
@example(["User-agent: *", "Disallow: /", f"User-agent: {ROBOT}", "User-agent: x", "Allow: /"], "/")
@example(["User-agent: *", "Disallow: /a", "User-agent: x", "Allow: /", "User-agent: *"], "/a")
def test_robots_txt_is_read_as_the_standard_says(lines: list[str], path: str) -> None:
    parser = OwnRobotParser("\n".join(lines).encode(), ROBOT)
    assert parser.allowed(f"http://a.org{path}", ROBOT) is allowed_by_standard(lines, path)


@pytest.mark.parametrize(
    ("name", "agent"),
    [
        ("crawl2chat", ROBOT),
        ("Crawl2Chat", ROBOT),
        ("crawl2chat/1.0 (us)", ROBOT),
        ("*", "*"),
        ("* # all", "*"),
        ("crawl", f"not-{ROBOT}"),
        ("crawl*", f"not-{ROBOT}"),
        ("crawl2chat-images", f"not-{ROBOT}"),
        ("*bot", f"not-{ROBOT}"),
        ("Mozilla/5.0 (compatible; crawl2chat)", f"not-{ROBOT}"),
        ("", f"not-{ROBOT}"),
    ],
)
def test_a_group_is_ours_by_the_whole_name(name: str, agent: str) -> None:
    assert own_groups(f"User-Agent : {name}\r\nAllow: /", ROBOT) == f"User-agent: {agent}\nAllow: /"
    assert own_groups(f"useragent {name}", ROBOT) == f"User-agent: {agent}"


def crawled(site: Site, folder: Path, **settings: object) -> CrawlProgress:
    return crawl(capture_of(site, **settings), folder, lambda _: None)


def test_a_site_that_asks_for_endless_pauses_is_left_alone(site: Site, tmp_path: Path) -> None:
    site["/robots.txt"] = b"User-agent: *\nCrawl-delay: 1e9\nSitemap: /s.xml\n"
    site["/"] = page("home")
    result = crawled(site, tmp_path)
    assert result.finished == "finished"
    assert result.others == {"crawl_delay": 1}
    assert site.hits == {"/robots.txt": 1}


@pytest.mark.parametrize(
    ("url", "error", "reason"),
    [
        ("http://a.org/robots.txt", CannotResolveHostError(), "failed_cannot_resolve_host"),
        ("http://a.org/robots.txt", DownloadConnectionRefusedError(), "failed_connection_refused"),
        ("http://a.org/robots.txt", DownloadTimeoutError(), "robots_unreachable"),
        ("http://b.org/robots.txt", CannotResolveHostError(), "robots_unreachable"),  # moved there
    ],
)
def test_a_host_without_a_server_is_shut_for_that(url: str, error: Exception, reason: str) -> None:
    shut_hosts: dict[str, str] = {}
    crawler: Any = SimpleNamespace(
        spider=SimpleNamespace(shut_hosts=shut_hosts),
        signals=SimpleNamespace(connect=lambda *_: None),
    )
    meta = {"dont_obey_robotstxt": True, "redirect_urls": ["http://a.org/robots.txt"]}
    answer = SiteRules(crawler).process_exception(Request(url, meta=meta), error)
    assert answer is not None
    assert answer.body == SiteRules.FORBID_ALL
    assert shut_hosts == {"a.org": reason}


def test_a_robots_txt_that_moved_and_fails_is_unreachable(tmp_path: Path) -> None:
    site, other = Site(), Site()
    site["/"] = page("home")
    site["/robots.txt"] = Answer(
        gzip.compress(b"moved"),
        301,
        {"Location": other.url("/robots.txt"), "Content-Encoding": "gzip"},
    )
    other["/robots.txt"] = Answer(b"busy", 503)
    allowed = tuple(f"127.0.0.1:{port}" for port in (site.port, other.port))
    result = crawled(site, tmp_path, allow_private=allowed)
    assert result.others == {"robots_unreachable": 1}
    assert (other.hits, site.hits) == ({"/robots.txt": 1}, {"/robots.txt": 1})
    site.close()
    other.close()


def test_a_busy_host_is_asked_again_when_it_says(site: Site, tmp_path: Path) -> None:
    site["/"] = page("home", "/next")
    begun: list[float] = []

    def busy_once(path: str) -> None:
        begun.append(time.monotonic())
        busy = Answer(b"busy", 503, {"Retry-After": "1"})
        site["/next"] = busy if site.hits["/next"] == 1 else page("next").encode()

    site.before_answer = busy_once
    result = crawled(site, tmp_path, retries=1)
    assert (result.pages, result.others) == (2, {})
    assert begun[-1] - begun[-2] > 0.9


def test_pages_behind_redirects_keep_to_the_delay_of_their_host(site: Site, tmp_path: Path) -> None:
    slow = Site()
    slow["/robots.txt"] = b"User-agent: *\nCrawl-delay: 0.3\n"
    site["/"] = page("home", *(f"/{number}" for number in range(4)))
    for number in range(4):
        away = f"http://localhost:{slow.port}/{number}"
        site[f"/{number}"] = Answer(status=302, headers={"Location": away})
        slow[f"/{number}"] = page(str(number))
    begun: list[float] = []
    slow.before_answer = lambda path: begun.append(time.monotonic())
    hosts = (f"127.0.0.1:{site.port}", f"localhost:{slow.port}")
    result = crawled(site, tmp_path, hosts=hosts, allow_private=hosts)
    assert result.pages == 5
    # On a busy machine one may be long on its way, and the next one behind it soon.
    assert median(after - before for before, after in pairwise(begun)) > 0.25
    slow.close()


# ---- reservations

RESERVED = Answer(json.dumps([{"location": "/", "tdm-reservation": 1}]).encode(), headers=TEXT)


@pytest.mark.parametrize(
    ("answer", "dropped"),
    [
        (RESERVED, "opted_out_tdm"),
        (Answer(b"busy", 503), "tdm_unreachable"),
        (Answer(b"too many", 429), "tdm_unreachable"),
        (Answer(RESERVED.body, headers=TEXT, seconds_per_byte=1.0), "tdm_unreachable"),
        (Answer(b" " * 600_000 + RESERVED.body, headers=TEXT), "tdm_unreachable"),
        (Answer(b"no", 403), ""),
        (Answer(status=302, headers={"Location": "/loop"}), ""),
    ],
    ids=["reserved", "busy", "too many", "slow", "too long", "forbidden", "redirects"],
)
def test_a_page_is_used_only_when_its_site_could_say_no(
    site: Site, tmp_path: Path, answer: Answer, dropped: str
) -> None:
    site[TDM_FILE] = answer
    site["/loop"] = Answer(status=302, headers={"Location": TDM_FILE})
    site["/"] = page("home")
    found = captured(capture_of(site, timeout_seconds=1.0), tmp_path)
    assert found.counts.dropped == ({dropped: 1} if dropped else {})
    assert paths(site, found) == (set() if dropped else {"/"})


def test_a_page_may_speak_for_itself(site: Site, tmp_path: Path) -> None:
    site[TDM_FILE] = Answer(b"busy", 503)
    site["/"] = Answer(
        page("a").encode(), headers={"Content-Type": "text/html", "TDM-Reservation": "0"}
    )
    assert paths(site, captured(capture_of(site), tmp_path)) == {"/"}


def test_reservations_are_asked_for_whatever_robots_txt_says(tmp_path: Path) -> None:
    site, moving = Site(), Site()
    site["/robots.txt"] = b"User-agent: *\nDisallow: /.well-known/\n"
    for step in range(7):
        here = f"/r{step}" if step else "/robots.txt"
        moving[here] = Answer(status=302, headers={"Location": f"/r{step + 1}"})
    for one in (site, moving):
        one["/"] = page("home")
        one[TDM_FILE] = RESERVED
    found = captured(
        capture_of(
            site,
            seeds=(site.url(), moving.url()),
            allow_private=tuple(f"127.0.0.1:{one.port}" for one in (site, moving)),
        ),
        tmp_path,
    )
    assert found.counts.dropped == {"opted_out_tdm": 2}
    site.close()
    moving.close()


def test_a_small_budget_leaves_time_to_hear_of_reservations(site: Site, tmp_path: Path) -> None:
    seeds = tuple(site.url(f"/{number}") for number in range(16))
    for number in range(16):
        site[f"/{number}"] = page(str(number))
    found = captured(capture_of(site, seeds=seeds, max_pages=2, concurrency=16), tmp_path)
    assert len(found.pages) == 2
    assert found.counts.dropped.keys() == {"over_budget"}


def test_a_site_that_forbids_all_is_asked_for_nothing_more(site: Site, tmp_path: Path) -> None:
    site["/robots.txt"] = b"User-agent: *\nDisallow: /\n"
    assert crawled(site, tmp_path).others == {"robots_disallowed": 1}
    assert site.hits == {"/robots.txt": 1}
