"""What a page declares about itself in its markup: language, licence, date, author.

Read from the tags' text, so that the pages of every extractor say the same. A licence with a name
in the SPDX list gets that, when the page links to it; a date must be a day, and not lie after the
capture.
"""

import html as entities
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from tasks.crawl.documents import clean_text, primary_language

# Bounded, so that a page of open brackets takes no longer than its length.
TAG = re.compile(r"<(html|meta|link|time|a)\s([^<>]{0,2000})>", re.IGNORECASE)
ATTRIBUTE = re.compile(
    r"""([\w:.-]{1,40})\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.ASCII
)
LINKED_DATA = re.compile(r'"(datePublished|license)"\s{0,9}:\s{0,9}"([^"\\]{4,300})"')
ISO_DATE = re.compile(r"(?<!\d)(\d{4})-(\d\d)-(\d\d)(?!\d)", re.ASCII)

CREATIVE_COMMONS = re.compile(
    r"creativecommons\.org/(?:licenses|publicdomain)/([a-z+-]{2,20})/(\d\.\d)", re.IGNORECASE
)
CREATIVE_COMMONS_NAME = re.compile(r"CC[ -](BY(?:[ -](?:SA|NC|ND)){0,2})[ -](\d\.\d)")
OPEN_SOURCE = re.compile(r"opensource\.org/licenses?/([\w.-]{2,40}?)(?:\.php|\.html)?/?$")
PUBLIC_DOMAIN = {"zero": "CC0", "mark": "CC-PDM"}

# Names of meta tags (property, name or itemprop) and of linked data: the most trusted first.
DATE_NAMES = (
    "article:published_time",
    "linked:datepublished",
    "datepublished",
    "dcterms.created",
    "dc.date.created",
    "citation_publication_date",
    "pubdate",
    "publishdate",
    "publication_date",
    "dcterms.issued",
    "dc.date.issued",
    "dcterms.date",
    "dc.date",
    "date",
)
LICENCE_NAMES = ("linked:license", "dcterms.license", "license")
FIRST_YEAR = 1990  # of the first web page


@dataclass(frozen=True, slots=True)
class Declared:
    """What a page says; "" where it does not."""

    language: str = ""
    licence: str = ""
    date: str = ""  # ISO
    author: str = ""


def declared(html: str, captured: str) -> Declared:
    """What a page says; `captured` is the ISO date of its capture, "" when unknown."""
    said: dict[str, str] = {}
    licences: list[str] = []
    times: list[str] = []
    for tag, attributes in _tags(html):
        if tag == "html":
            said.setdefault("lang", attributes.get("lang") or attributes.get("xml:lang", ""))
        elif tag == "meta":
            names = (attributes.get(key, "") for key in ("property", "name", "itemprop"))
            said.setdefault(next(filter(None, names), "").lower(), attributes.get("content", ""))
        elif tag == "time":
            times.append(attributes.get("datetime", ""))
        elif "license" in attributes.get("rel", "").lower().split():
            licences.append(attributes.get("href", ""))
    for name, value in LINKED_DATA.findall(html):
        said.setdefault(f"linked:{name.lower()}", value)
    days = (iso_date(value, captured) for value in [*_said(said, DATE_NAMES), *times])
    terms = (licence_name(value) for value in [*licences, *_said(said, LICENCE_NAMES)])
    return Declared(
        language=primary_language(said.get("lang")),
        licence=next(filter(None, terms), ""),
        date=next(filter(None, days), ""),
        author=" ".join(entities.unescape(said.get("author", "")).split()),
    )


def licence_name(value: str) -> str:
    """A licence by its SPDX name when its text's address is given, or else as it is.

    >>> licence_name("https://creativecommons.org/licenses/by-sa/4.0/deed.de")
    'CC-BY-SA-4.0'
    >>> licence_name("https://opensource.org/license/MIT"), licence_name("CC BY 4.0")
    ('MIT', 'CC-BY-4.0')
    """
    value = clean_text(entities.unescape(value))
    if found := CREATIVE_COMMONS.search(value):
        kind = found[1].lower()
        return f"{PUBLIC_DOMAIN.get(kind, f'CC-{kind.upper()}')}-{found[2]}"
    if found := CREATIVE_COMMONS_NAME.fullmatch(value):
        return f"CC-{found[1].replace(' ', '-')}-{found[2]}"
    found = OPEN_SOURCE.search(value)
    return found[1] if found else value


def iso_date(value: str, captured: str) -> str:
    """The first day that a text names in ISO form, "" for none and for one that cannot be.

    >>> iso_date("2021-04-03T10:00:00Z", ""), iso_date("2021-04-03", "2020-01-01")
    ('2021-04-03', '')
    """
    found = ISO_DATE.search(value)
    if found is None or int(found[1]) < FIRST_YEAR or (captured and found[0] > captured):
        return ""
    try:
        return date.fromisoformat(found[0]).isoformat()
    except ValueError:
        return ""


def _said(said: dict[str, str], names: tuple[str, ...]) -> Iterator[str]:
    yield from (said[name] for name in names if name in said)


def _tags(html: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The tags that may say something, with their attributes by lower-case name."""
    for found in TAG.finditer(html):
        name, inside = found[1].lower(), found[2]
        if name in ("a", "link") and "license" not in inside.lower():
            continue
        attributes: dict[str, str] = {}
        for key, *values in ATTRIBUTE.findall(inside):
            attributes.setdefault(key.lower(), "".join(values))
        yield name, attributes
