"""What stands between the spider and the network: scope and capture.

Scrapy calls these as downloader middlewares: requests pass them from the first to the last, answers
and errors the other way.
"""

import contextlib
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urldefrag, urlsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import StopDownload
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes
from scrapy.utils.defer import deferred_from_coro

from pipeline_config.live import LiveCapture
from tasks.crawl import sitemaps
from tasks.crawl.http_body import EncodingError, decode
from tasks.crawl.ledger import Page
from tasks.crawl.request_kinds import (
    NOT_FETCHED,
    CapturingSpider,
    RefusedError,
    is_aside,
    is_robots,
    speaks_for_site,
)
from tasks.crawl.scope import REDIRECTS, page_url, redirect_target
from tasks.crawl.warc_writing import Exchange, Stored

MAX_ROBOTS_BYTES = 512 * 1024  # RFC 9309, 2.5, asks for at least 500 KiB
CONDITIONS = ("If-None-Match", "If-Modified-Since")
RENEWED = ("ETag", "Last-Modified", "X-Robots-Tag", "TDM-Reservation")  # by an answer 304


def max_bytes(request: Request, capture: LiveCapture) -> int:
    """How much of an answer is taken."""
    if request.meta.get("aside") == "sitemap":
        return sitemaps.MAX_BYTES
    return MAX_ROBOTS_BYTES if is_aside(request) else capture.max_page_bytes


def media_type(headers: Any) -> str:
    """The lower-case media type, "" when the server names none."""
    value = headers.get("Content-Type") or b""
    return str(value.decode("latin-1")).partition(";")[0].strip().lower()


class CrawlScope:
    """Requests, redirected and repeated ones too, stay within the scope of the crawl.

    Scrapy's own middleware lets through what is asked for again, and where that leads.
    """

    def __init__(self, crawler: Crawler) -> None:
        """See the class."""
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "CrawlScope":
        """What Scrapy calls."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Refuses what lies outside; patterns are for pages."""
        # A redirect would wait in the line of the host that it comes from.
        request.meta.pop("download_slot", None)
        if speaks_for_site(request):
            return
        spider = cast("CapturingSpider", self.crawler.spider)
        reason = spider.scope.why_outside(page_url(request.url))
        if reason == "off_host" or (reason and not is_aside(request)):
            raise RefusedError(reason)


class Capture:
    """Keeps what the network answers, answers what it has kept, and minds the budget of pages."""

    def __init__(self, crawler: Crawler) -> None:
        """Listens to downloads, to stop those that are not wanted."""
        self.crawler = crawler
        self.granted: int | None = None
        self.retried_statuses = frozenset(crawler.settings.getlist("RETRY_HTTP_CODES"))
        self.max_retries = crawler.settings.getint("RETRY_TIMES")
        crawler.signals.connect(self.headers_received, signals.headers_received)
        crawler.signals.connect(self.bytes_received, signals.bytes_received)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Capture":
        """What Scrapy calls."""
        return cls(crawler)

    @property
    def spider(self) -> CapturingSpider:
        """The running spider."""
        return cast("CapturingSpider", self.crawler.spider)

    def process_request(self, request: Request) -> Response | None:
        """Answers from the capture, or grants a download while the budget lasts."""
        url = urldefrag(request.url).url
        if stored := self.spider.folder.read(url):
            request.meta["truncated"] = stored.truncated
            return self.as_known(url, response_of(url, stored), request)
        for name in CONDITIONS:  # those of the page that led here by a redirect
            request.headers.pop(name, None)
        if not is_aside(request):
            if not request.meta.get("retry_times"):
                self.grant()
            if known := self.spider.previous.page(url):
                request.headers.update(conditions(known))
        return None

    def grant(self) -> None:
        """Takes one page from the budget; the crawl ends where nothing is left."""
        if self.granted is None:
            self.granted = self.spider.folder.num_pages
        if self.granted >= self.spider.capture.max_pages:
            engine: Any = self.crawler.engine
            deferred_from_coro(engine.close_spider_async(reason="max_pages"))
            raise RefusedError("over_budget")
        self.granted += 1

    def as_known(self, url: str, response: Response, request: Request) -> Response:
        """The answer itself; the known page where the answer is that it has not changed."""
        if response.status in REDIRECTS:
            # Behind too many, what speaks for a site counts as absent (RFC 9309, 2.3.1.2).
            is_last = speaks_for_site(request) and not request.meta.get("redirect_ttl")
            return redirected(url, response, is_last)
        if is_robots(request) and response.headers.get("Content-Encoding"):
            return plain_robots(response)
        if response.status != HTTPStatus.NOT_MODIFIED:
            return response
        stored = self.spider.previous.answer(url)
        if stored is None:
            return response
        request.meta.update(truncated=stored.truncated, unchanged=True)
        known = response_of(url, stored)
        for name in RENEWED:  # what a site says now counts, not what it said then
            if response.headers.getlist(name):
                known.headers.setlist(name, response.headers.getlist(name))
        return known

    def headers_received(self, headers: Any, body_length: Any, request: Request) -> None:
        """Stops a download whose headers announce too much or the wrong thing."""
        request.meta.update(truncated="", received=0, unchanged=False)
        if is_aside(request):
            return
        kind = media_type(headers)
        if kind and kind not in self.spider.capture.content_types:
            self.stop(request, "unspecified")
        if isinstance(body_length, int) and body_length > self.spider.capture.max_page_bytes:
            self.stop(request, "length")

    def bytes_received(self, data: bytes, request: Request) -> None:
        """Stops a download that is longer than its headers said, or than they did not say."""
        request.meta["received"] += len(data)
        if request.meta["received"] > max_bytes(request, self.spider.capture):
            self.stop(request, "length")

    def stop(self, request: Request, why: str) -> None:
        """Ends a download; what was received so far is the answer."""
        request.meta["truncated"] = why
        raise StopDownload(fail=False)

    def process_response(self, request: Request, response: Response) -> Response:
        """Keeps an answer, unless it comes from the capture or will be asked for again."""
        retries_left = request.meta.get("retry_times", 0) < self.max_retries
        if NOT_FETCHED in response.flags or (
            response.status in self.retried_statuses and retries_left
        ):
            return response
        url = urldefrag(request.url).url
        self.spider.folder.append(
            Exchange(
                url=url,
                request_headers=[("Host", urlsplit(request.url).netloc), *pairs(request.headers)],
                status_line=status_line(response),
                headers=pairs(response.headers),
                body=response.body,
                ip_address=str(response.ip_address or ""),
                truncated=request.meta.get("truncated", ""),
            ),
            aside=is_aside(request),
        )
        return self.as_known(url, response, request)


def response_of(url: str, stored: Stored) -> Response:
    """A kept answer, as Scrapy knows answers."""
    headers = Headers(stored.headers)
    kind = responsetypes.from_args(headers=headers, url=url, body=stored.body)
    return kind(url, stored.status, headers, stored.body, flags=[NOT_FETCHED])


def conditions(known: Page) -> dict[str, str]:
    """The headers that ask for a page only if it has changed."""
    values = zip(CONDITIONS, (known.etag, known.last_modified), strict=True)
    return {name: value for name, value in values if value}


def plain_robots(response: Response) -> Response:
    """A robots.txt that was sent compressed; one that cannot be read counts as unreachable."""
    encoding = (response.headers.get("Content-Encoding") or b"").decode("latin-1")
    try:
        body = decode(response.body, encoding, MAX_ROBOTS_BYTES)
    except EncodingError:
        return response.replace(status=HTTPStatus.SERVICE_UNAVAILABLE.value, body=b"", headers={})
    return response.replace(body=body, headers={})


def redirected(url: str, response: Response, is_last: bool) -> Response:
    """A redirect to the form under which pages are asked for; the last leads nowhere."""
    headers = response.headers.copy()
    target = redirect_target(url, as_ascii(headers.pop("Location", [b""])[0]))
    if target and not is_last:
        headers["Location"] = target
    return response.replace(headers=headers)


def status_line(response: Response) -> str:
    """The first line of an answer."""
    with contextlib.suppress(ValueError):
        return f"{response.protocol} {response.status} {HTTPStatus(response.status).phrase}"
    return f"{response.protocol} {response.status} "


def pairs(headers: Any) -> list[tuple[str, str]]:
    """Scrapy's headers as name and value, one pair per line of the message."""
    return [
        (as_ascii(name), as_ascii(value)) for name, values in headers.items() for value in values
    ]


def as_ascii(value: bytes) -> str:
    """A header whose bytes beyond ASCII are escaped as in a URL: readers of WARC files differ."""
    return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in value)
