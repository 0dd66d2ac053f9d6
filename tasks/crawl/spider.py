"""The live crawler: a Scrapy spider in a process of its own, which ends with its parent.

    python -m tasks.crawl.spider < job

The first line of its standard input is the job as JSON; when the input ends, so does the process,
at once: what it has captured is in WARC files, and a new process with the same job goes on from
there. Its standard output says how far it is, one JSON object per line.

Scrapy does what it does well: robots.txt (protego), delay and concurrency per host, retries,
redirects, depth, duplicates, decompression, sitemaps. Added here are the capture, which answers
what it has already from its files; the pages known from the capture before; the scope; opt-outs;
the page budget; and the stop of a download whose headers or size say that it is not wanted.
"""

import json
import os
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import scrapy
from lxml import etree
from scrapy import Request, signals
from scrapy.crawler import Crawler, CrawlerProcess
from scrapy.exceptions import IgnoreRequest
from scrapy.http import HtmlResponse, Response
from scrapy.linkextractors import LinkExtractor
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from pipeline_config.live import LiveCapture
from tasks.crawl import sitemaps
from tasks.crawl.addresses import GuardedResolver
from tasks.crawl.findings import FindingsFile
from tasks.crawl.ledger import Outcome
from tasks.crawl.opt_outs import TDM_FILE, opted_out, tdm_rules
from tasks.crawl.page_facts import PageFacts, page_facts
from tasks.crawl.previous import NOTHING, Previous, load_previous
from tasks.crawl.scope import Scope, host_of, page_url, unique
from tasks.crawl.spider_middleware import Capture, CrawlScope, RefusedError, RobotsByStandard
from tasks.crawl.warc_writing import CaptureFolder

PROGRESS_SECONDS = 0.5
MAX_REDIRECTS = 10
MAX_SITEMAPS = 1_000
SITEMAP_TYPES = "application/xml,text/xml;q=0.9,*/*;q=0.1"


def outcome_of(response: Response) -> str:
    """Why an answer is no page; "" when it is one."""
    if response.status != HTTPStatus.OK:
        return f"status_{response.status}"
    if response.headers.get("Content-Encoding"):  # one that Scrapy could not undo
        return "broken_encoding"
    return {"length": "too_large", "": ""}.get(response.meta.get("truncated", ""), "not_html")


class SiteSpider(scrapy.Spider):
    """Follows the links of HTML pages within the scope, breadth first."""

    name = "site"

    def __init__(
        self,
        capture: LiveCapture,
        folder: CaptureFolder,
        previous: Previous = NOTHING,
        **kwargs: Any,
    ) -> None:
        """`folder` takes what is fetched and gives what was; `previous` is what is known."""
        super().__init__(**kwargs)
        self.capture = capture
        self.folder = folder
        self.previous = previous
        self.findings = FindingsFile(folder.folder)
        self.seeds = unique(capture.seeds)
        hosts = capture.hosts or tuple(host_of(seed) for seed in self.seeds)
        self.scope = Scope(hosts, capture.allow, capture.deny, self.seeds)
        self.links = LinkExtractor()
        self.outcomes: Counter[str] = Counter()  # "" counts pages, the others why there is none
        self.silent_robots: set[str] = set()  # hosts whose robots.txt could not be had
        self.asked_sitemaps: set[str] = set()
        self.num_listed = 0  # pages taken from sitemaps

    async def start(self) -> AsyncIterator[Request]:
        """The seeds, sitemaps, and the pages that are known, those near the seeds first."""
        for seed in self.seeds:
            yield self.ask(seed)
        for url in self.capture.sitemaps:
            for request in self.ask_sitemap(url):
                yield request
        known = [page for page in self.previous.pages.values() if page.is_here]
        for page in sorted(known, key=lambda page: (page.depth, page.url)):
            if page.depth <= self.capture.max_depth and not self.scope.why_outside(page.url):
                yield self.ask(page.url, page.depth)

    def ask(self, url: str, depth: int = 0) -> Request:
        """A request whose end is told, whatever it is."""
        return Request(
            url,
            callback=self.parse,
            errback=self.note_failure,
            meta={"depth": depth},
            priority=-depth,
        )

    def tell(self, outcome: Outcome, reserved: bool | None = None) -> None:
        """Counts and keeps what became of a URL."""
        self.outcomes[outcome.reason] += 1
        self.findings.page(outcome, reserved)

    def parse(self, response: Response) -> Iterator[Request]:
        """Tells what a page is; gives the requests for its links."""
        url = urldefrag(response.url).url
        depth = response.meta["depth"]
        reason = outcome_of(response)
        if reason:
            self.tell(Outcome(url, reason, depth))
            return
        try:
            facts = page_facts(response, self.capture.user_agent)
        except (ValueError, etree.LxmlError):
            self.tell(Outcome(url, "broken_html", depth))
            return
        signal = opted_out(facts.directives, bool(facts.reserved), self.capture.opt_outs)
        is_elsewhere = facts.canonical not in ("", page_url(url))
        outside = self.scope.why_outside(facts.canonical) if is_elsewhere else ""
        outcome = Outcome(
            url,
            f"opted_out_{signal}" if signal else "",
            depth,
            self.previous.pages[url].content_hash
            if response.meta.get("unchanged")
            else facts.content_hash,
            header(response, "ETag"),
            header(response, "Last-Modified"),
            facts.canonical if is_elsewhere and not outside else "",
        )
        self.tell(outcome, facts.reserved)
        if depth < self.capture.max_depth:
            yield from self.follow_links(response, facts, outcome.canonical)

    def follow_links(
        self, response: Response, facts: PageFacts, canonical: str
    ) -> Iterator[Request]:
        """The requests for a page's links, and for what it calls its own address."""
        if canonical:
            yield self.ask(canonical)
        if not isinstance(response, HtmlResponse) or facts.directives & {"nofollow", "none"}:
            return
        for link in self.links.extract_links(response):
            url = page_url(link.url)
            if not link.nofollow and not self.scope.why_outside(url):
                yield self.ask(url)

    def note_failure(self, failure: Failure) -> None:
        """Tells of a request that got no answer."""
        request: Request = failure.request  # type: ignore[attr-defined]
        reason = self.reason_of(failure.value, request)
        self.tell(Outcome(urldefrag(request.url).url, reason, request.meta.get("depth", 0)))

    def reason_of(self, error: BaseException | None, request: Request) -> str:
        """Why a request got no answer."""
        if isinstance(error, RefusedError):
            return error.reason
        is_private = urlsplit(request.url).hostname in GuardedResolver.refused_hosts()
        if isinstance(error, IgnoreRequest):
            if "robots.txt" not in str(error):
                return ignored_because(str(error))
            if host_of(request.url) not in self.silent_robots:
                return "robots_disallowed"
            return "private_address" if is_private else "robots_unreachable"
        if is_private:
            return "private_address"
        name = type(error).__name__.removesuffix("Error").removeprefix("Download")
        return "failed" + "".join(f"_{c.lower()}" if c.isupper() else c for c in name)

    # ---- beside the pages

    def host_met(self, url: str, listed: list[str]) -> list[Request]:
        """What to ask a host for when its robots.txt is there, and names these sitemaps."""
        requests = []
        if "tdm" in self.capture.opt_outs:
            requests.append(
                Request(
                    urljoin(url, TDM_FILE),
                    callback=self.parse_tdm_file,
                    errback=lambda _: None,
                    meta={"aside": "tdm", "host_url": url},
                    priority=100,
                )
            )
        if self.capture.robots_sitemaps:
            for sitemap in listed:
                requests += self.ask_sitemap(urljoin(url, sitemap))
        return requests

    def parse_tdm_file(self, response: Response) -> None:
        """Notes what a site says of text and data mining."""
        if response.status == HTTPStatus.OK:
            self.findings.rules(host_of(response.meta["host_url"]), tdm_rules(response.body))

    def ask_sitemap(self, url: str) -> list[Request]:
        """The request for a sitemap; none for one that was asked for, or lies elsewhere."""
        known = url in self.asked_sitemaps or len(self.asked_sitemaps) >= MAX_SITEMAPS
        if known or self.scope.why_outside(url) == "off_host":
            return []
        self.asked_sitemaps.add(url)
        return [
            Request(
                url,
                callback=self.parse_sitemap,
                errback=lambda _: None,
                headers={"Accept": SITEMAP_TYPES},
                meta={
                    "aside": "sitemap",
                    "depth_reset": True,
                    "download_maxsize": sitemaps.MAX_BYTES,
                },
                priority=50,
            )
        ]

    def parse_sitemap(self, response: Response) -> Iterator[Request]:
        """The requests for the pages and sitemaps that a sitemap lists."""
        if response.status != HTTPStatus.OK:
            return
        try:
            for listed in sitemaps.listed_urls(response.body):
                if listed.is_sitemap:
                    yield from self.ask_sitemap(urljoin(response.url, listed.url))
                    continue
                url = page_url(listed.url)
                if self.num_listed >= self.capture.max_pages or self.capture.max_depth == 0:
                    return
                if not self.scope.why_outside(url):
                    self.num_listed += 1
                    yield self.ask(url)
        except sitemaps.SitemapError as error:
            self.logger.warning("%s is no sitemap: %s", response.url, error)


def ignored_because(message: str) -> str:
    """The reason behind a refusal by Scrapy."""
    if "max redirections" in message:
        return "too_many_redirects"
    return "too_large" if "DOWNLOAD_MAXSIZE" in message else "ignored"


def header(response: Response, name: str) -> str:
    """The value of a header, "" without one."""
    return (response.headers.get(name) or b"").decode("latin-1")


class Progress:
    """Says every half second, and at the end, how far the crawl is."""

    def __init__(self, crawler: Crawler) -> None:
        """Listens for begin and end."""
        self.crawler = crawler
        self.loop = LoopingCall(self.say)
        crawler.signals.connect(self.spider_opened, signals.spider_opened)
        crawler.signals.connect(self.spider_closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Progress":
        """What Scrapy calls."""
        return cls(crawler)

    def spider_opened(self) -> None:
        """Begins to talk."""
        self.loop.start(PROGRESS_SECONDS)

    def spider_closed(self, reason: str) -> None:
        """Says how it ended."""
        self.loop.stop()
        spider: Any = self.crawler.spider
        spider.findings.flush()
        self.say(finished=reason)

    def say(self, finished: str = "") -> None:
        """One line: answers so far, requests waiting, how it ended."""
        stats = self.crawler.stats
        assert stats is not None
        waiting = stats.get_value("scheduler/enqueued", 0) - stats.get_value(
            "scheduler/dequeued", 0
        )
        spider: Any = self.crawler.spider
        line = {"outcomes": spider.outcomes, "waiting": waiting, "finished": finished}
        print(json.dumps(line), flush=True)


def settings(capture: LiveCapture, mapped: dict[str, str]) -> dict[str, Any]:
    """Scrapy's settings for a job."""
    contact = f" (+{capture.contact})" if capture.contact else ""
    return {
        "USER_AGENT": f"{capture.user_agent}{contact}",
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": capture.user_agent,
        "DOWNLOAD_DELAY": capture.delay_seconds,
        "CONCURRENT_REQUESTS_PER_DOMAIN": capture.concurrency,
        # Not asyncio: there Scrapy 2.19 starts every waiting request at once, and 9 requests run
        # where 1 may (its downloader counts them one turn of the loop too late).
        "TWISTED_REACTOR": "twisted.internet.selectreactor.SelectReactor",
        "CONCURRENT_REQUESTS": max(16, capture.concurrency),
        "DOWNLOAD_TIMEOUT": capture.timeout_seconds,
        "CLOSESPIDER_TIMEOUT": capture.max_seconds,
        "DOWNLOAD_MAXSIZE": capture.max_page_bytes,  # of the decompressed body too
        "DOWNLOAD_WARNSIZE": 0,
        "RETRY_TIMES": capture.retries,
        "REDIRECT_MAX_TIMES": MAX_REDIRECTS,
        "METAREFRESH_MAXDELAY": 1,  # seconds; a page that shows for longer is a page
        "HTTPERROR_ALLOW_ALL": True,  # every outcome is counted
        # Breadth first: a budget is spent near the seeds.
        "DEPTH_PRIORITY": 1,
        "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
        # No cookies, no way in from outside, no proxy from the environment, no other schemes.
        "COOKIES_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "HTTPPROXY_ENABLED": False,
        "DOWNLOAD_HANDLERS": {"data": None, "file": None, "ftp": None, "s3": None},
        "DEFAULT_REQUEST_HEADERS": {
            "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1",
            "Accept-Encoding": "gzip, deflate",
        },
        "TWISTED_DNS_RESOLVER": "tasks.crawl.addresses.GuardedResolver",
        "ALLOWED_PRIVATE": list(capture.allow_private),
        "MAPPED_HOSTS": mapped,
        "DOWNLOADER_MIDDLEWARES": {
            "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
            CrawlScope: 50,
            RobotsByStandard: 540,  # behind the retries at 550
            Capture: 950,  # next to the network
        },
        "EXTENSIONS": {Progress: 500},
        "LOG_LEVEL": "WARNING",
    }


def end_with_parent() -> None:
    """Leaves this process as soon as its standard input ends."""

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Crawls as the job on standard input says."""
    job = json.loads(sys.stdin.buffer.readline())
    end_with_parent()
    capture = LiveCapture.model_validate(job["capture"])
    info = {
        "software": f"crawl2chat, Scrapy {scrapy.__version__}",
        "format": "WARC File Format 1.0",
        "robots": "obey",
        "http-header-user-agent": settings(capture, {})["USER_AGENT"],
    }
    folder = CaptureFolder(Path(job["folder"]), capture.num_files, info)
    process = CrawlerProcess(settings(capture, job["mapped"]))
    previous = load_previous(job["previous"])
    process.crawl(SiteSpider, capture=capture, folder=folder, previous=previous)
    process.start()


if __name__ == "__main__":
    main()
