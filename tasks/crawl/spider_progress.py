"""How far a live crawl is, as its process tells the parent: one JSON object per line."""

import json
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler
from twisted.internet.task import LoopingCall

PROGRESS_SECONDS = 0.5


def num_waiting(crawler: Crawler) -> int:
    """How many requests wait."""
    stats = crawler.stats
    assert stats is not None
    came, went = (stats.get_value(f"scheduler/{what}", 0) for what in ("enqueued", "dequeued"))
    return int(came - went)


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
        spider.findings.close()
        self.say(finished=reason)

    def say(self, finished: str = "") -> None:
        """One line: answers so far, requests waiting, how it ended."""
        spider: Any = self.crawler.spider
        waiting = num_waiting(self.crawler)
        line = {"outcomes": spider.outcomes, "waiting": waiting, "finished": finished}
        print(json.dumps(line), flush=True)
