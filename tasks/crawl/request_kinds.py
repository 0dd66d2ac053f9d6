"""What the parts of the spider's process share: kinds of requests, and why one is not sent."""

from typing import Protocol

from scrapy import Request
from scrapy.exceptions import IgnoreRequest

from pipeline_config.live import LiveCapture
from tasks.crawl.findings import FindingsFile
from tasks.crawl.previous import Previous
from tasks.crawl.scope import Scope
from tasks.crawl.warc_writing import CaptureFolder

NOT_FETCHED = "not fetched"  # flag of a response that did not come over the network


class CapturingSpider(Protocol):
    """What the middlewares need of the spider."""

    capture: LiveCapture
    folder: CaptureFolder
    findings: FindingsFile
    previous: Previous
    scope: Scope
    shut_hosts: dict[str, str]

    def ask_sitemap(self, url: str) -> list[Request]:
        """The request for a sitemap, if it is to be asked for."""


class RefusedError(IgnoreRequest):
    """A request is not sent; `reason` is what that is counted under."""

    def __init__(self, reason: str) -> None:
        """See the class."""
        super().__init__(reason)
        self.reason = reason


def failed_because(error: BaseException | None) -> str:
    """The reason behind a request without an answer, named after the error.

    >>> failed_because(TimeoutError())
    'failed_timeout'
    """
    name = type(error).__name__.removesuffix("Error").removeprefix("Download")
    return "failed" + "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def speaks_for_site(request: Request) -> bool:
    """Whether a request is for robots.txt or the file of reservations, wherever they have moved."""
    return bool(request.meta.get("dont_obey_robotstxt"))


def is_robots(request: Request) -> bool:
    """Whether Scrapy itself asks for a host's robots.txt."""
    return speaks_for_site(request) and not request.meta.get("aside")


def is_aside(request: Request) -> bool:
    """Whether a request is for something else than a page."""
    return speaks_for_site(request) or bool(request.meta.get("aside"))


def first_url(request: Request) -> str:
    """The URL that was asked for before all redirects."""
    urls: list[str] = request.meta.get("redirect_urls") or [request.url]
    return urls[0]
