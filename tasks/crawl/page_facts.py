"""What a crawl wants to know of an HTML page: its address, directives, and its text's hash.

The hash is of what a reader sees (and of language and licence), so that a new script, style or
hidden token is no change of the page.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

from lxml import etree
from scrapy.http import HtmlResponse, Response

from tasks.crawl.opt_outs import header_directives, meta_directives, reservation
from tasks.crawl.scope import page_url

UNSEEN = frozenset({"script", "style", "template", "noscript"})


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page and its headers say."""

    content_hash: str
    canonical: str  # the address that the page names as its own, "" when it names none
    directives: frozenset[str]
    reserved: bool | None  # by header or meta tag; None when neither says it


def page_facts(response: Response, robot: str) -> PageFacts:
    """The facts of a page; `robot` is the name that directives may address."""
    headers = response.headers
    directives = header_directives(_values(headers.getlist("X-Robots-Tag")), robot)
    said = [reservation(value) for value in _values(headers.getlist("TDM-Reservation"))]
    reserved = next((value for value in said if value is not None), None)
    if not isinstance(response, HtmlResponse):
        return PageFacts(_digest(response.body), "", frozenset(directives), reserved)
    root = response.selector.root
    metas = [(meta.get("name") or "", meta.get("content") or "") for meta in root.iter("meta")]
    directives |= meta_directives(metas, robot)
    for name, content in metas:
        if name.strip().lower() == "tdm-reservation" and reservation(content) is not None:
            reserved = reservation(content)
    seen = [
        root.get("lang") or "",
        *sorted(_related(root, "license", "link", "a")),
        " ".join(" ".join(visible_text(root)).split()),
    ]
    return PageFacts(
        content_hash=_digest("\n".join(seen).encode("utf-8", "surrogatepass")),
        canonical=_absolute(next(_related(root, "canonical", "link"), ""), response),
        directives=frozenset(directives),
        reserved=reserved,
    )


def visible_text(root: etree._Element) -> Iterator[str]:
    """The texts below an element that are no script or style, in order; no recursion."""
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        is_markup = event in ("start", "end")
        if event == "start":
            if element.tag in UNSEEN:
                walk.skip_subtree()
            elif element.text:
                yield element.text
        if (event == "end" or not is_markup) and element.tail:
            yield element.tail


def _related(root: etree._Element, relation: str, *tags: str) -> Iterator[str]:
    """The addresses of links with a relation, in order."""
    for link in root.iter(*tags):
        href = (link.get("href") or "").strip()
        if href and relation in (link.get("rel") or "").lower().split():
            yield href


def _absolute(href: str, response: HtmlResponse) -> str:
    try:
        return page_url(urljoin(response.url, href)) if href else ""
    except ValueError:
        return ""


def _values(found: list[bytes]) -> list[str]:
    return [value.decode("latin-1") for value in found]


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
