"""The live crawler: a Scrapy spider in a process of its own, which ends with its parent.

    python -m tasks.crawl.spider < job

The first line of its standard input is the job as JSON; when the input ends, so does the process,
at once: what it has captured is in WARC files, and a new process with the same job goes on from
there. Its standard output says how far it is, one JSON object per line.

Scrapy does what it does well: robots.txt (protego), delay and concurrency per host, retries,
redirects, depth, duplicates, decompression, sitemaps. Added are the capture, which answers what it
has already from its files; the pages known from the capture before; the scope; opt-outs; the page
budget and the bound of what may wait; what else a site says to crawlers (`site_rules.py`); and the
stop of a download whose headers or size say that it is not wanted (`spider_middleware.py`).
"""

import contextlib
import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import scrapy
from lxml import etree
from scrapy import Request
from scrapy.crawler import CrawlerProcess
from scrapy.exceptions import IgnoreRequest
from scrapy.http import HtmlResponse, Response
from scrapy.linkextractors import LinkExtractor
from twisted.python.failure import Failure

from pipeline_config.live import LiveCapture
from tasks.crawl import sitemaps
from tasks.crawl.addresses import GuardedResolver
from tasks.crawl.findings import FindingsFile
from tasks.crawl.ledger import Outcome
from tasks.crawl.opt_outs import opted_out
from tasks.crawl.page_facts import PageFacts, page_facts
from tasks.crawl.previous import NOTHING, Previous, load_previous
from tasks.crawl.request_kinds import RefusedError, failed_because
from tasks.crawl.scope import Scope, host_of, page_url, unique
from tasks.crawl.spider_progress import num_waiting
from tasks.crawl.spider_settings import settings
from tasks.crawl.warc_writing import CaptureFolder

MAX_SITEMAPS = 1_000
MAX_PARSE_SECONDS = 60.0
SITEMAP_TYPES = "application/xml,text/xml;q=0.9,*/*;q=0.1"
# Of the page budget, or of so many pages where it is smaller: what may wait (2 kB each), and what
# may be asked for at all, which counts pages that then cost no budget, such as forbidden ones.
MIN_ROOM = 10_000
MAX_WAITING = 2
MAX_ASKED = 10


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
        self.shut_hosts: dict[str, str] = {}  # why nothing is asked of a host
        self.asked: set[str] = set()  # URLs of pages
        self.room = max(MIN_ROOM, capture.max_pages)
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
        self.asked.add(url)
        return Request(
            url,
            callback=self.parse,
            errback=self.note_failure,
            meta={"depth": depth},
            priority=-depth,
        )

    def ask_new(self, urls: Iterable[str]) -> Iterator[Request]:
        """The requests for those that were not asked for, as long as there is room for them."""
        num_left = 0
        for url in urls:
            if url in self.asked:
                continue
            if (
                len(self.asked) < MAX_ASKED * self.room
                and num_waiting(self.crawler) < MAX_WAITING * self.room
            ):
                yield self.ask(url)
            else:
                num_left += 1
        if num_left:
            self.outcomes["too_many_links"] += num_left
            self.findings.links_left(num_left)

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
            with time_limit(MAX_PARSE_SECONDS):
                facts = page_facts(response, self.capture.user_agent)
        except (ValueError, etree.LxmlError, TimeoutError):
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
            yield from self.ask_new(self.followed(response, facts, outcome.canonical))

    def followed(self, response: Response, facts: PageFacts, canonical: str) -> Iterator[str]:
        """A page's links within the scope, and what it calls its own address."""
        if canonical:
            yield canonical
        if not isinstance(response, HtmlResponse) or facts.directives & {"nofollow", "none"}:
            return
        for link in self.links.extract_links(response):
            url = page_url(link.url)
            if not link.nofollow and not self.scope.why_outside(url):
                yield url

    def note_failure(self, failure: Failure) -> None:
        """Tells of a request that got no answer."""
        request: Request = failure.request  # type: ignore[attr-defined]
        reason = self.reason_of(failure.value, request)
        self.tell(Outcome(urldefrag(request.url).url, reason, request.meta.get("depth", 0)))

    def reason_of(self, error: BaseException | None, request: Request) -> str:
        """Why a request got no answer."""
        is_private = urlsplit(request.url).hostname in GuardedResolver.refused_hosts()
        if isinstance(error, IgnoreRequest):
            if isinstance(error, RefusedError) or "robots.txt" not in str(error):
                return ignored_because(error)
            if host_of(request.url) not in self.shut_hosts:
                return "robots_disallowed"
            return "private_address" if is_private else self.shut_hosts[host_of(request.url)]
        if is_private:
            return "private_address"
        return failed_because(error)

    # ---- sitemaps

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
                    yield from self.ask_new([url])
        except sitemaps.SitemapError as error:
            self.logger.warning("%s is no sitemap: %s", response.url, error)


def ignored_because(error: IgnoreRequest) -> str:
    """The reason behind a refusal, ours or Scrapy's."""
    if isinstance(error, RefusedError):
        return error.reason
    if "max redirections" in str(error):
        return "too_many_redirects"
    return "too_large" if "DOWNLOAD_MAXSIZE" in str(error) else "ignored"


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Ends what is inside, where it is no single call into C, with a TimeoutError."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def header(response: Response, name: str) -> str:
    """The value of a header, "" without one."""
    return (response.headers.get(name) or b"").decode("latin-1")


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
