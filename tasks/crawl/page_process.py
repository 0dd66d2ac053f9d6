"""Extraction in a process of its own, which a page can take down without its shard.

A page may keep compiled code busy for hours (100,000 nested tags), use up the stack, or crash the
parser. So a child extracts, one page at a time: the kernel's alarm ends it when a page takes too
long, whatever code runs. The page is counted and the next one gets a new child, 10 ms later, for it
is a fork of this process, which has imported the extractors. A page's way there and back takes
about 0.2 ms. When this process dies the child finds its pipe closed and ends too.
"""

import contextlib
import multiprocessing
import signal
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from types import TracebackType
from typing import Self

from pipeline_config.extraction import ExtractionConfig
from tasks.crawl.html_text import page_text
from tasks.crawl.page_text import NoTextError, PageText

END_SECONDS = 1.0
Request = tuple[bytes, str, str, str]  # body, url, content type, date


class PageProcess:
    """Extracts pages in a child that is started when it is needed."""

    def __init__(self, config: ExtractionConfig) -> None:
        """`config` says how to extract, and how long that may take."""
        self.config = config
        self.process: ForkProcess | None = None
        self.connection: Connection | None = None

    def __enter__(self) -> Self:
        """Nothing is started yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the child."""
        self._end()

    def page_text(self, body: bytes, url: str, content_type: str, date: str) -> PageText:
        """The main text of a page.

        Raises:
            NoTextError: as `html_text.page_text`; or `timeout`, or `crashed`.
        """
        connection = self.connection or self._start()
        try:
            connection.send((body, url, content_type, date))
            answer: PageText | str = connection.recv()
        except (EOFError, OSError):
            timed_out = self._end() == -signal.SIGALRM
            raise NoTextError("timeout" if timed_out else "crashed") from None
        if isinstance(answer, str):
            raise NoTextError(answer)
        return answer

    def _start(self) -> Connection:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        self.process = context.Process(
            target=_extract_pages, args=(theirs, ours, self.config), daemon=True
        )
        self.process.start()
        theirs.close()
        self.connection = ours
        return ours

    def _end(self) -> int | None:
        """Ends the child, and says how it ended."""
        if self.process is None or self.connection is None:
            return None
        self.connection.close()  # an idle child ends by itself
        self.process.join(END_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        code = self.process.exitcode
        self.process.close()
        self.process = self.connection = None
        return code


def _extract_pages(pages: Connection, parents_end: Connection, config: ExtractionConfig) -> None:
    """The child: answers each page with its text, or the reason why there is none."""
    parents_end.close()  # or this process would keep its own pipe open
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    with contextlib.suppress(EOFError, OSError):
        while True:
            request: Request = pages.recv()
            signal.setitimer(signal.ITIMER_REAL, config.max_page_seconds)
            answer = _answer(request, config)
            signal.setitimer(signal.ITIMER_REAL, 0)
            pages.send(answer)


def _answer(request: Request, config: ExtractionConfig) -> PageText | str:
    try:
        return page_text(*request, config)
    except NoTextError as error:
        return str(error)
