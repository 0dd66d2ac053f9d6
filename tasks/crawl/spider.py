"""The live crawler: a Scrapy spider in a process of its own, which ends with its parent.

    python -m tasks.crawl.spider < job

The first line of its standard input is the job as JSON; when the input ends, so does the process,
at once: what it has captured is in WARC files, and a new process with the same job goes on from
there. Its standard output says how far it is, one JSON object per line.

Scrapy does what it does well: robots.txt (protego), delay and concurrency per host, retries,
redirects, depth, duplicates, decompression. Added here are the capture, which answers what it has
already from its files; the scope; the page budget; and the stop of a download whose headers or size
say that it is not wanted.
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
from urllib.parse import urlsplit

import scrapy
from scrapy import Request, signals
from scrapy.crawler import Crawler, CrawlerProcess
from scrapy.exceptions import IgnoreRequest
from scrapy.http import HtmlResponse, Response
from scrapy.linkextractors import LinkExtractor
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from pipeline_config.live import LiveCapture
from tasks.crawl.addresses import GuardedResolver
from tasks.crawl.scope import host_of, is_inside
from tasks.crawl.spider_middleware import Capture, HostScope, RefusedError, RobotsByStandard
from tasks.crawl.warc_writing import CaptureFolder

PROGRESS_SECONDS = 0.5
MAX_REDIRECTS = 10


def outcome_of(response: Response) -> str:
    """Why an answer is no page; "" when it is one."""
    if response.status != HTTPStatus.OK:
        return f"status_{response.status}"
    return {"length": "too_large", "": ""}.get(response.meta.get("truncated", ""), "not_html")


class SiteSpider(scrapy.Spider):
    """Follows the links of HTML pages within the scope, breadth first."""

    name = "site"

    def __init__(self, capture: LiveCapture, folder: CaptureFolder, **kwargs: Any) -> None:
        """`folder` takes what is fetched and gives what was."""
        super().__init__(**kwargs)
        self.capture = capture
        self.folder = folder
        self.hosts = capture.hosts or tuple(host_of(seed) for seed in capture.seeds)
        self.links = LinkExtractor()
        self.outcomes: Counter[str] = Counter()  # "" counts pages, the others why there is none
        self.silent_robots: set[str] = set()  # hosts whose robots.txt could not be had

    async def start(self) -> AsyncIterator[Request]:
        """The seeds."""
        for seed in self.capture.seeds:
            yield self.ask(seed)

    def ask(self, url: str) -> Request:
        """A request whose end is counted, whatever it is."""
        return Request(url, callback=self.parse, errback=self.note_failure)

    def parse(self, response: Response) -> Iterator[Request]:
        """The requests for a page's links."""
        outcome = outcome_of(response)
        self.outcomes[outcome] += 1
        deeper = response.meta["depth"] < self.capture.max_depth
        if outcome == "" and deeper and isinstance(response, HtmlResponse):
            for link in self.links.extract_links(response):
                if not link.nofollow and is_inside(link.url, self.hosts):
                    yield self.ask(link.url)

    def note_failure(self, failure: Failure) -> None:
        """Counts a request that got no answer."""
        reason = self.reason_of(failure.value, failure.request)  # type: ignore[attr-defined]
        self.outcomes[reason] += 1

    def reason_of(self, error: BaseException | None, request: Request) -> str:
        """Why a request got no answer."""
        if isinstance(error, RefusedError):
            return error.reason
        is_private = urlsplit(request.url).hostname in GuardedResolver.refused_hosts()
        if isinstance(error, IgnoreRequest):
            if "robots.txt" not in str(error):
                return "ignored"
            if host_of(request.url) not in self.silent_robots:
                return "robots_disallowed"
            return "private_address" if is_private else "robots_unreachable"
        if is_private:
            return "private_address"
        name = type(error).__name__.removesuffix("Error").removeprefix("Download")
        return "failed" + "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


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
        self.say(finished=reason)

    def say(self, finished: str = "") -> None:
        """One line: answers so far, requests waiting, how it ended."""
        stats = self.crawler.stats
        assert stats is not None
        waiting = stats.get_value("scheduler/enqueued", 0) - stats.get_value(
            "scheduler/dequeued", 0
        )
        spider: Any = self.crawler.spider
        outcomes = dict(spider.outcomes)
        if elsewhere := stats.get_value(
            "offsite/filtered"
        ):  # redirects; Scrapy drops them silently
            outcomes["off_host"] = elsewhere
        line = {"outcomes": outcomes, "waiting": waiting, "finished": finished}
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
        "DOWNLOAD_MAXSIZE": capture.max_page_bytes,  # of the decompressed body too
        "DOWNLOAD_WARNSIZE": 0,
        "RETRY_TIMES": capture.retries,
        "REDIRECT_MAX_TIMES": MAX_REDIRECTS,
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
            HostScope: 50,
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
    process.crawl(SiteSpider, capture=capture, folder=folder)
    process.start()


if __name__ == "__main__":
    main()
