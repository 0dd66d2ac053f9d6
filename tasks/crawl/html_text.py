"""The main text of an HTML page, and what the page says about itself.

The charset is found as a browser finds it: byte order mark, HTTP header, meta tag, then a guess.
"""

from trafilatura.utils import detect_encoding
from w3lib.encoding import html_to_unicode

from pipeline_config.extraction import ExtractionConfig
from tasks.crawl import resiliparse_text, trafilatura_text
from tasks.crawl.declared import declared
from tasks.crawl.documents import clean_text
from tasks.crawl.page_text import NoTextError, PageText

GUESS_BYTES = 1 << 16


def page_text(
    body: bytes, url: str, content_type: str, date: str, config: ExtractionConfig
) -> PageText:
    """The main text of a page, without a limit on time (`page_process` has one).

    Args:
        body: the page as it was sent, without transfer and content encoding.
        url: where it was found.
        content_type: the HTTP header, for its charset; "" without one.
        date: ISO date of the capture, "" when unknown.
        config: how to extract.

    Raises:
        NoTextError: `too_large`, `empty_text`, or `extraction_error`.
    """
    if len(body) > config.max_page_bytes:
        raise NoTextError("too_large")
    html = to_unicode(body, content_type)
    if config.engine == "trafilatura":
        found = trafilatura_text.find_text(html, url, date, config)
    else:
        found = resiliparse_text.find_text(html, config)
    text = clean_text(found.text)
    if not text:
        raise NoTextError("empty_text")
    says = declared(html, date)
    said = {"author": says.author, "date": says.date, **found.metadata}
    return PageText(
        text,
        says.language,
        says.licence or found.licence,
        {name: clean_text(value) for name, value in said.items() if value},
    )


def to_unicode(body: bytes, content_type: str) -> str:
    """An HTML page as text, without the NULs that would end it for the parser."""
    try:
        _, text = html_to_unicode(
            content_type or None, body, default_encoding="utf-8", auto_detect_fun=_guess
        )
    except (LookupError, UnicodeError):  # Python knows "undefined" and "hex", but as no charsets
        text = body.decode(_guess(body) or "utf-8", "replace")
    return text.replace("\x00", "")


def _guess(body: bytes) -> str | None:
    guesses: list[str] = detect_encoding(body[:GUESS_BYTES])
    return guesses[0] if guesses else None
