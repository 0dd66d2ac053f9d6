import gzip

import pytest

from tasks.crawl.sitemaps import MAX_URLS, SitemapError, listed_urls

XML = b"""\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
  <!-- two --><url><loc> http://a.org/1?a=1&amp;b=2 </loc><lastmod>2026-01-01</lastmod></url>
  <url><priority>1</priority></url><url><loc>http://a.org/2</loc></url>
</urlset>"""


def urls(body: bytes) -> list[str]:
    return [listed.url for listed in listed_urls(body)]


def test_xml_gzip_and_lines_are_read() -> None:
    assert urls(XML) == urls(gzip.compress(XML)) == ["http://a.org/1?a=1&b=2", "http://a.org/2"]
    assert urls(b"http://a.org/1\r\nnot a url\nhttps://a.org/2") == [
        "http://a.org/1",
        "https://a.org/2",
    ]
    assert urls(XML[:-60]) == ["http://a.org/1?a=1&b=2"]  # a torn one, as far as it goes


def test_an_index_lists_sitemaps() -> None:
    [listed] = listed_urls(b"<sitemapindex><sitemap><loc>http://a/s</loc></sitemap></sitemapindex>")
    assert listed.is_sitemap


def test_entities_are_not_expanded() -> None:
    bomb = b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b SYSTEM 'file:///etc/passwd'>]>"
    body = bomb + b"<urlset><url><loc>http://a/&a;&b;</loc></url></urlset>"
    assert all("root" not in url and "aaaa" not in url for url in urls(body))


@pytest.mark.parametrize(
    "body",
    [b"<html><body>no</body></html>", b"<", b"\x1f\x8b\x08 torn", gzip.compress(b"x" * 6**10)],
)
def test_what_is_no_sitemap_says_so(body: bytes) -> None:
    with pytest.raises(SitemapError):
        urls(body)


def test_a_sitemap_has_as_many_urls_as_it_may() -> None:
    assert len(urls(b"http://a.org/\n" * (MAX_URLS + 9))) == MAX_URLS
