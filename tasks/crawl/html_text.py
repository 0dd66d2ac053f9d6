"""The main text of an HTML page and what the page says about itself, by trafilatura.

The charset is found as a browser finds it: byte order mark, HTTP header, meta tag, then a guess.
The page's date is searched in its markup only, and never lies after its capture: a full search
doubles the time, and would know today's date.
"""

import contextlib
import logging
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType

import trafilatura
from lxml.html import HtmlElement
from trafilatura.utils import detect_encoding, load_html
from w3lib.encoding import html_to_unicode

from pipeline_config.extraction import ExtractionConfig
from tasks.crawl.documents import clean_text, primary_language

GUESS_BYTES = 1 << 16


class NoTextError(ValueError):
    """A page gives no document; the message is the reason that it is counted under."""


class _TooSlow(BaseException):
    """Not an Exception: the extractor catches those and would go on."""


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page, and what the page declares."""

    text: str
    language: str = ""
    licence: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


def page_text(
    body: bytes, url: str, content_type: str, date: str, config: ExtractionConfig
) -> PageText:
    """The main text of a page.

    Args:
        body: the page as it was sent, without transfer and content encoding.
        url: where it was found.
        content_type: the HTTP header, for its charset; "" without one.
        date: ISO date of the capture, "" when unknown.
        config: how to extract.

    Raises:
        NoTextError: `too_large`, `timeout`, `empty_text`, or `extraction_error`.
    """
    if len(body) > config.max_page_bytes:
        raise NoTextError("too_large")
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # reasons are counted instead
    try:
        with _time_limit(config.max_page_seconds):
            return _extract(to_unicode(body, content_type), url, date, config)
    except _TooSlow:
        raise NoTextError("timeout") from None


def to_unicode(body: bytes, content_type: str) -> str:
    """An HTML page as text, without the NULs that would end it for the parser."""
    _, text = html_to_unicode(
        content_type or None, body, default_encoding="utf-8", auto_detect_fun=_guess
    )
    return text.replace("\x00", "")


def _guess(body: bytes) -> str | None:
    guesses: list[str] = detect_encoding(body[:GUESS_BYTES])
    return guesses[0] if guesses else None


def _extract(html: str, url: str, date: str, config: ExtractionConfig) -> PageText:
    try:
        tree = load_html(html) if html.strip() else None
        found = None if tree is None else _bare_extraction(tree, url, date, config)
    except (ValueError, TypeError, AttributeError, AssertionError, RecursionError):
        raise NoTextError("extraction_error") from None
    if tree is None or found is None:
        raise NoTextError("empty_text")
    text = clean_text(found.text or "")
    if not text:
        raise NoTextError("empty_text")
    said = {"title": found.title, "author": found.author, "date": found.date}
    return PageText(
        text,
        primary_language(tree.get("lang") or tree.get("xml:lang")),
        clean_text(found.license or ""),
        {name: clean_text(value) for name, value in said.items() if value},
    )


def _bare_extraction(
    tree: HtmlElement, url: str, date: str, config: ExtractionConfig
) -> trafilatura.settings.Document | None:
    dates = {"extensive_search": False, "original_date": True} | (
        {"max_date": date} if date else {}
    )
    found = trafilatura.bare_extraction(
        tree,
        url=url,
        fast=config.fast,
        favor_precision=config.favour == "precision",
        favor_recall=config.favour == "recall",
        include_comments=config.comments,
        include_tables=config.tables,
        with_metadata=True,
        date_extraction_params=dates,
    )
    assert not isinstance(found, dict)
    return found


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raises `_TooSlow` inside the block when it takes longer; main thread only."""

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
