"""What a site says to its crawlers, as the spider obeys it: robots.txt, reservations, pauses.

Scrapy calls these as its parser of robots.txt and as downloader middlewares.
"""

import datetime as dt
import re
import time
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

from protego import Protego
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError, DownloadConnectionRefusedError
from scrapy.http import Response
from scrapy.robotstxt import ProtegoRobotParser, decode_robotstxt
from scrapy.utils.defer import deferred_from_coro

from tasks.crawl.backoff import retry_after_seconds
from tasks.crawl.ledger import UNREACHED
from tasks.crawl.opt_outs import TDM_FILE, TdmRule, tdm_rules
from tasks.crawl.request_kinds import (
    NOT_FETCHED,
    CapturingSpider,
    RefusedError,
    failed_because,
    first_url,
    is_aside,
    is_robots,
    speaks_for_site,
)
from tasks.crawl.scope import host_of

MAX_REDIRECTS = 5  # RFC 9309, 2.3.1.2; behind them a robots.txt counts as absent
SUCCESSES = range(200, 300)
FORBIDDING_STATUSES = frozenset({429, *range(500, 600)})  # too busy to say what it allows
BUSY_STATUSES = frozenset({429, 503})
# Ten thousand pages then take a week. Apache Nutch gives a site up at 30 s.
MAX_PAUSE_SECONDS = 60.0
SHORT_SECONDS = 0.001  # Scrapy looks at the time of the last request only where there is a delay
NO_SERVER = (CannotResolveHostError, DownloadConnectionRefusedError)
AGENT_LINE = re.compile(r"\s*user[- ]?agent(?:\s*:|\s)\s*([^#]*)", re.IGNORECASE)
PRODUCT = re.compile(r"[\w.-]*", re.ASCII)


# ---- robots.txt


def own_groups(text: str, robot: str) -> str:
    r"""A robots.txt whose agents are `robot`, `*`, and one that nobody is.

    The names in groups are product tokens and fit as a whole, whatever their case (RFC 9309,
    2.2.1); protego takes the beginning of ours for our name too, and `*` inside one for nothing.

    >>> own_groups("User-agent: crawl\nAllow: /\nUSER-AGENT: Crawl2Chat/2.0 # us", "crawl2chat")
    'User-agent: not-crawl2chat\nAllow: /\nUser-agent: crawl2chat'
    """
    lines = []
    for line in text.splitlines():
        if found := AGENT_LINE.match(line):
            name = found[1].strip()
            token = PRODUCT.match(name)
            is_ours = token is not None and token[0].lower() == robot.lower()
            everyone = name == "*" or name.startswith(("* ", "*\t"))
            agent = robot if is_ours else "*" if everyone else f"not-{robot}"
            line = f"User-agent: {agent}"
        lines.append(line)
    return "\n".join(lines)


class OwnRobotParser(ProtegoRobotParser):
    """The rules of protego, in the groups that the standard gives us."""

    def __init__(self, body: bytes, robot: str) -> None:
        """`body` is a robots.txt, `robot` our name."""
        self.rp = Protego.parse(own_groups(decode_robotstxt(body, None), robot))

    @classmethod
    def from_crawler(cls, crawler: Crawler, robotstxt_body: bytes) -> "OwnRobotParser":
        """What Scrapy calls."""
        return cls(robotstxt_body, crawler.settings["ROBOTSTXT_USER_AGENT"])


class SiteRules:
    """What a missing robots.txt means by RFC 9309, its Crawl-delay, and the file of reservations.

    Absent allows all, unreachable forbids all.
    """

    FORBID_ALL = b"User-agent: *\nDisallow: /\n"

    def __init__(self, crawler: Crawler) -> None:
        """Listens for what a robots.txt says."""
        self.crawler = crawler
        self.asked_reservations: set[str] = set()  # hosts
        crawler.signals.connect(self.robots_parsed, signals.robots_parsed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "SiteRules":
        """What Scrapy calls."""
        return cls(crawler)

    @property
    def spider(self) -> CapturingSpider:
        """The running spider."""
        return cast("CapturingSpider", self.crawler.spider)

    def process_request(self, request: Request) -> None:
        """Bounds what stands for a robots.txt; asks a host that allows a page what it reserves."""
        if speaks_for_site(request):
            request.meta.setdefault("redirect_ttl", MAX_REDIRECTS)
            if is_robots(request):
                request.meta["download_maxsize"] = 0  # no refusal: `Capture` takes its beginning
            return
        host = host_of(request.url)
        if reason := self.spider.shut_hosts.get(host):
            raise RefusedError(reason)
        is_new = host not in self.asked_reservations
        if is_new and not is_aside(request) and "tdm" in self.spider.capture.opt_outs:
            self.asked_reservations.add(host)
            # Without an answer they stay unknown, and the site's pages as they were.
            deferred_from_coro(self.ask_reservations(request.url)).addErrback(lambda _: None)

    def process_response(self, request: Request, response: Response) -> Response:
        """Reads the status of a robots.txt as the standard does; notes what a site reserves."""
        if request.meta.get("aside") == "tdm":
            rules = reservations(request, response)
            if rules is not None:
                self.spider.findings.rules(host_of(first_url(request)), rules)
        if not is_robots(request) or response.status in SUCCESSES:
            return response
        if response.status in FORBIDDING_STATUSES:
            return self.forbid(request)
        return response.replace(status=200, body=b"")

    def process_exception(self, request: Request, exception: Exception) -> Response | None:
        """No answer, after all retries; where there is no server at all, that is the reason."""
        if not is_robots(request):
            return None
        is_own = host_of(request.url) == host_of(first_url(request))
        if is_own and isinstance(exception, NO_SERVER):
            return self.forbid(request, failed_because(exception))
        return self.forbid(request)

    def forbid(self, request: Request, reason: str = "robots_unreachable") -> Response:
        """A robots.txt that forbids everything."""
        self.spider.shut_hosts[host_of(first_url(request))] = reason
        return Response(request.url, body=self.FORBID_ALL, flags=[NOT_FETCHED])

    def robots_parsed(self, robotparser: OwnRobotParser, request: Request) -> None:
        """Keeps to a Crawl-delay that is longer than ours, or away; asks for sitemaps."""
        capture = self.spider.capture
        asked = robotparser.crawl_delay(capture.user_agent) or 0.0
        if asked > max(MAX_PAUSE_SECONDS, capture.delay_seconds):
            self.spider.shut_hosts[host_of(request.url)] = "crawl_delay"
            return
        engine: Any = self.crawler.engine
        name = urlsplit(request.url).hostname
        known = engine.downloader.per_slot_settings.get(name, {})  # of another port
        delay = max(asked, capture.delay_seconds, known.get("delay", 0.0))
        engine.downloader.per_slot_settings[name] = {"delay": delay}
        if name in engine.downloader.slots:
            engine.downloader.slots[name].delay = delay
        if capture.robots_sitemaps:
            for sitemap in robotparser.rp.sitemaps:
                for further in self.spider.ask_sitemap(urljoin(request.url, sitemap)):
                    engine.crawl(further)

    async def ask_reservations(self, url: str) -> None:
        """Asks for a site's reservations of text and data mining, whatever its robots.txt says.

        Not by way of the queue: the request is under way before that for the site's first page, so
        that no budget ends the crawl between the two.
        """
        meta = {"aside": "tdm", "dont_obey_robotstxt": True}
        engine: Any = self.crawler.engine
        await engine.download_async(Request(urljoin(url, TDM_FILE), meta=meta))


def reservations(request: Request, response: Response) -> list[TdmRule] | None:
    """The reservations in an answer; None when it leaves them unknown."""
    if response.status == HTTPStatus.OK:
        return None if request.meta.get("truncated") else tdm_rules(response.body)
    return None if f"status_{response.status}".startswith(UNREACHED) else []


class RetryAfter:
    """Leaves a busy host alone for as long as it asks, up to a minute, before the next request."""

    def __init__(self, crawler: Crawler) -> None:
        """See the class."""
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "RetryAfter":
        """What Scrapy calls."""
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        """Moves the time of the host's last request, from which Scrapy counts its delay."""
        header = (response.headers.get("Retry-After") or b"").decode("latin-1")
        engine: Any = self.crawler.engine
        slot = engine.downloader.slots.get(request.meta.get("download_slot"))
        if response.status in BUSY_STATUSES and header and slot:
            pause = min(MAX_PAUSE_SECONDS, retry_after_seconds(header, dt.datetime.now(dt.UTC)))
            slot.delay = max(slot.delay, SHORT_SECONDS)
            slot.lastseen = max(slot.lastseen, time.monotonic() + pause - slot.delay)
        return response
