"""Sitemaps (sitemaps.org 0.9): XML files and indexes of them, or plain lists; gzipped or not."""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree
from scrapy.utils.sitemap import Sitemap

from tasks.crawl.http_body import EncodingError, decode

MAX_BYTES = 50_000_000  # the standard's limit, uncompressed
MAX_URLS = 50_000  # too
GZIP = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class SitemapError(ValueError):
    """A file is no sitemap."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A URL of a sitemap."""

    url: str
    is_sitemap: bool = False  # of another sitemap, in an index


def listed_urls(body: bytes) -> Iterator[Listed]:
    r"""The URLs that a sitemap lists, in order.

    >>> list(listed_urls(b"http://a.org/1\nhttp://a.org/2\n"))[1]
    Listed(url='http://a.org/2', is_sitemap=False)

    Raises:
        SitemapError: when it is none.
    """
    try:
        content = decode(body, "gzip" if body.startswith(GZIP) else "", MAX_BYTES)
    except EncodingError as error:
        raise SitemapError(str(error)) from None
    content = content.removeprefix(BYTE_ORDER_MARK).lstrip()
    found = _of_xml(content) if content.startswith(b"<") else _of_lines(content)
    for number, listed in enumerate(found):
        if number >= MAX_URLS:
            return
        yield listed


def _of_xml(content: bytes) -> Iterator[Listed]:
    try:
        sitemap = Sitemap(content)
        if sitemap.type not in ("urlset", "sitemapindex"):
            raise SitemapError(f"its root is {sitemap.type}")
        for entry in sitemap:
            if entry.get("loc"):
                yield Listed(entry["loc"], sitemap.type == "sitemapindex")
    except (etree.XMLSyntaxError, StopIteration) as error:
        raise SitemapError("broken XML") from error


def _of_lines(content: bytes) -> Iterator[Listed]:
    for line in content.decode("utf-8", "replace").splitlines():
        url = line.strip()
        if url.startswith(("http://", "https://")):
            yield Listed(url)
