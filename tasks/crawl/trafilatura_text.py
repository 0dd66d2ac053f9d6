"""The main text of a page by trafilatura (Barbaresi 2021).

The page's date is searched in its markup only, and never lies after its capture: a full search
doubles the time, and would know today's date.
"""

import logging

import trafilatura
from lxml.html import HtmlElement
from trafilatura.utils import load_html

from pipeline_config.extraction import ExtractionConfig
from tasks.crawl.declared import licence_name
from tasks.crawl.page_text import NoTextError, PageText

# What lxml and trafilatura raise on odd pages.
ODD_PAGE_ERRORS = (ValueError, TypeError, AttributeError, AssertionError, RecursionError)


def find_text(html: str, url: str, captured: str, config: ExtractionConfig) -> PageText:
    """The text of a page and what trafilatura finds around it; `captured` is an ISO date or "".

    Raises:
        NoTextError: `empty_text` or `extraction_error`.
    """
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # reasons are counted instead
    try:
        tree = load_html(html) if html.strip() else None
        found = None if tree is None else _bare_extraction(tree, url, captured, config)
    except ODD_PAGE_ERRORS:
        raise NoTextError("extraction_error") from None
    if found is None:
        raise NoTextError("empty_text")
    said = {"title": found.title, "author": found.author, "date": found.date}
    return PageText(
        found.text or "",
        licence=licence_name(found.license or ""),
        metadata={name: value for name, value in said.items() if value},
    )


def _bare_extraction(
    tree: HtmlElement, url: str, captured: str, config: ExtractionConfig
) -> trafilatura.settings.Document | None:
    dates = {"extensive_search": False, "original_date": True} | (
        {"max_date": captured} if captured else {}
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
