"""The step `fetch`: a source's pages, captured into WARC files.

Output: `00000.warc.gz` … . A capture that was killed goes on from the build's work folder, and
what it has is not asked for again.
"""

from pipeline_config.common_crawl import CommonCrawlCapture
from pipeline_config.live import LiveCapture
from storage.build import Build
from tasks.crawl.fetch_common_crawl import fetch_common_crawl
from tasks.crawl.fetch_site import fetch_site


def fetch_pages(build: Build, capture: LiveCapture | CommonCrawlCapture) -> None:
    """Captures a source."""
    if isinstance(capture, LiveCapture):
        fetch_site(build, capture)
    else:
        fetch_common_crawl(build, capture)
