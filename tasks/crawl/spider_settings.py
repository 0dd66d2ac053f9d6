"""How Scrapy is set up for a live crawl."""

from typing import Any

from pipeline_config.live import LiveCapture
from tasks.crawl.site_rules import OwnRobotParser, RetryAfter, SiteRules
from tasks.crawl.spider_middleware import Capture, CrawlScope
from tasks.crawl.spider_progress import Progress

MAX_REDIRECTS = 10


def settings(capture: LiveCapture, mapped: dict[str, str]) -> dict[str, Any]:
    """Scrapy's settings for a job."""
    contact = f" (+{capture.contact})" if capture.contact else ""
    return {
        "USER_AGENT": f"{capture.user_agent}{contact}",
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": capture.user_agent,
        "ROBOTSTXT_PARSER": OwnRobotParser,
        "DOWNLOAD_DELAY": capture.delay_seconds,
        "DOWNLOAD_DELAY_JITTER": 0,  # else delays are up to half shorter than was asked
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
            SiteRules: 540,  # behind the retries at 550
            RetryAfter: 940,
            Capture: 950,  # next to the network
        },
        "EXTENSIONS": {Progress: 500},
        "LOG_LEVEL": "WARNING",
    }
