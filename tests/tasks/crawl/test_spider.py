"""The spider without a network: what it asks for."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy.http import HtmlResponse

from pipeline_config.live import LiveCapture
from tasks.crawl import spider as module
from tasks.crawl.findings import load_findings
from tasks.crawl.spider import MAX_ASKED, MAX_WAITING, SiteSpider
from tasks.crawl.warc_writing import CaptureFolder
from tests.tasks.crawl.sites import page

CAPTURE = LiveCapture(seeds=("http://a.org/",), contact="me@example.org")


MakeSpider = Callable[..., SiteSpider]


@pytest.fixture
def make_spider(tmp_path: Path) -> Iterator[MakeSpider]:
    """Spiders with so much room, so many of whose requests wait."""
    made = []

    def make(room: int, waiting: int = 0) -> SiteSpider:
        spider = SiteSpider(CAPTURE, CaptureFolder(tmp_path, 1, {}))
        made.append(spider)
        stats: Any = SimpleNamespace(get_value=lambda name, _: waiting * name.endswith("enqueued"))
        spider.crawler = SimpleNamespace(stats=stats)
        spider.room = room
        return spider

    yield make
    for spider in made:
        spider.findings.close()


def asked_by(spider: SiteSpider, *links: str) -> list[str]:
    url = f"http://a.org/{len(spider.outcomes)}"
    request = spider.ask(url)
    body = page("one", *links).encode()
    return [further.url for further in spider.parse(HtmlResponse(url, request=request, body=body))]


def test_a_link_is_followed_once(make_spider: MakeSpider) -> None:
    spider = make_spider(room=100)
    assert asked_by(spider, "/a", "/b", "/a?utm_id=1", "http://b.org/") == [
        "http://a.org/a",
        "http://a.org/b",
    ]
    assert asked_by(spider, "/b", "/c") == ["http://a.org/c"]


def test_a_site_of_endless_links_is_asked_for_some_of_them(
    make_spider: MakeSpider, tmp_path: Path
) -> None:
    spider = make_spider(room=3)
    links = [f"/{number}.html" for number in range(MAX_ASKED * 3 + 11)]
    assert len(asked_by(spider, *links)) == MAX_ASKED * 3 - 1  # the page itself counts
    assert spider.outcomes == {"": 1, "too_many_links": 12}
    assert load_findings(tmp_path).num_links_left == 12


def test_links_are_left_while_too_many_wait(make_spider: MakeSpider, tmp_path: Path) -> None:
    spider = make_spider(room=3, waiting=MAX_WAITING * 3)
    assert asked_by(spider, "/a", "/b") == []
    assert load_findings(tmp_path).num_links_left == 2
    spider.crawler.stats.get_value = lambda *_: 0
    assert asked_by(spider, "/a") == ["http://a.org/a"]


def test_a_page_that_cannot_be_read_in_time_is_broken(
    make_spider: MakeSpider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_PARSE_SECONDS", 0.05)
    monkeypatch.setattr(module, "page_facts", forever)
    spider = make_spider(room=3)
    assert asked_by(spider, "/a") == []
    assert spider.outcomes == {"broken_html": 1}


def forever(*_: Any) -> None:
    while True:
        pass
