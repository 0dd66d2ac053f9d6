"""One document as the sources give it, before it becomes a row; and the rules every text obeys."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

_LINE_ENDS = re.compile(r"\r\n?")
_SURROGATES = re.compile("[\ud800-\udfff]")
_LANGUAGE = re.compile(r"[a-z]{2,3}\Z")


@dataclass(frozen=True, slots=True)
class Document:
    """A text and where it comes from."""

    text: str
    url: str
    first_seen: str = ""  # ISO date, "" when unknown
    language: str = ""  # as declared, "" when it is not
    warc_file: str = ""
    warc_offset: int = -1
    licence: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


def clean_text(text: str) -> str:
    r"""Text that every tool can store: line ends as `\n`, no NUL, no half of a surrogate pair.

    >>> clean_text("a\r\nb\x00 \ud800")
    'a\nb �'
    """
    text = _LINE_ENDS.sub("\n", text).replace("\x00", "")
    return (text if text.isascii() else _SURROGATES.sub("\ufffd", text)).strip()


def primary_language(tag: str | None) -> str:
    """The language of a declared tag, "" when that is none.

    >>> primary_language("de-AT"), primary_language("x-default")
    ('de', '')
    """
    first = re.split(r"[-_,;\s]", (tag or "").strip().lower(), maxsplit=1)[0]
    return first if _LANGUAGE.match(first) else ""


def label(document: Document, licence: str, url_fields: Mapping[str, str]) -> Document:
    r"""The document with its source's licence, and with metadata found in its URL.

    >>> page = Document("text", "http://x/json.decoder.html")
    >>> dict(label(page, "PSF", {"module": r"/([^/]+)\.html$"}).metadata)
    {'module': 'json.decoder'}
    """
    found = {name: re.search(pattern, document.url) for name, pattern in url_fields.items()}
    fields = {name: match[1] for name, match in found.items() if match and match[1]}
    return replace(
        document,
        licence=document.licence or licence,
        metadata={**document.metadata, **fields},
    )


def shares(limit: int, parts: int) -> Sequence[int]:
    """How many documents each part of a trial run gives; 0 stands for all of them.

    >>> shares(10, 4), shares(2, 4), shares(0, 3)
    ([3, 3, 2, 2], [1, 1], [0, 0, 0])
    """
    if not limit:
        return [0] * parts
    parts = min(parts, limit)
    return [limit // parts + (index < limit % parts) for index in range(parts)]
