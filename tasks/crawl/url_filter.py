"""The URL filter: leaves pages out by blocklists, as RefinedWeb did (Penedo et al. 2023, G.1).

In this order: the host is in a listed domain; is a listed host; the page is listed; a hard word, or
several soft ones, are in the URL; a substring is. Words are what lies between other characters
than letters and digits. Domains are compared from the right, label by label, so that no list of
public suffixes is needed. Long lists are sorted hashes of 64 bits: 5 million domains take 40 MB.
"""

import gzip
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeAlias, get_args
from urllib.parse import unquote, urlsplit

import numpy as np
import numpy.typing as npt
import xxhash
from pydantic import BaseModel, ConfigDict

from pipeline_config.url_filter import UrlFilter, UrlList
from storage.outside import OutsideFile

Hashes: TypeAlias = npt.NDArray[np.uint64]
LIST_NAMES: tuple[UrlList, ...] = get_args(UrlList)

GZIP_MAGIC = b"\x1f\x8b"
NO_WORD = re.compile(r"[\W_]+")
SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class UrlRules(BaseModel):
    """What a shard gets: the lists that are not empty, those in files by their content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    given: tuple[tuple[UrlList, tuple[str, ...]], ...]
    files: tuple[tuple[UrlList, OutsideFile], ...]
    min_soft_words: int

    @classmethod
    def of(cls, rules: UrlFilter) -> "UrlRules":
        """The rules, with the files that they name."""
        files = tuple(
            (name, OutsideFile.at(path))
            for name, paths in sorted(rules.files.items())
            for path in paths
        )
        given = tuple((name, entries) for name in LIST_NAMES if (entries := getattr(rules, name)))
        return cls(given=given, files=files, min_soft_words=rules.min_soft_words)

    def entries(self, name: UrlList) -> Iterator[str]:
        """The entries of one list."""
        for kind, given in self.given:
            if kind == name:
                yield from given
        for kind, file in self.files:
            if kind == name:
                yield from read_list(Path(file.path))


class Lists(NamedTuple):
    """The lists, ready to be looked up."""

    domains: Hashes
    subdomains: Hashes
    urls: Hashes
    hard_words: frozenset[str]
    soft_words: frozenset[str]
    substrings: re.Pattern[str] | None
    min_soft_words: int

    def fault(self, url: str) -> str:
        """The reason why a page is left out because of its URL, "" if it is not."""
        host, page = normal_host(url), normal_page(url)
        labels = host.split(".")
        if any(holds(self.domains, ".".join(labels[n:])) for n in range(len(labels))):
            return "url_domain"
        if holds(self.subdomains, host):
            return "url_subdomain"
        if holds(self.urls, page):
            return "url_listed"
        return self._fault_of_words(page)

    def _fault_of_words(self, page: str) -> str:
        if not (self.hard_words or self.soft_words or self.substrings):
            return ""
        words = set(NO_WORD.split(page.casefold()))
        if not words.isdisjoint(self.hard_words):
            return "url_hard_word"
        if len(words & self.soft_words) >= self.min_soft_words:
            return "url_soft_words"
        if self.substrings and self.substrings.search(NO_WORD.sub("", page.casefold())):
            return "url_substring"
        return ""


def normal_host(url: str) -> str:
    """The host of a URL or a host alone, in lower case and ASCII.

    >>> normal_host("https://WWW.Bücher.de:8080/x"), normal_host("ads.example.org.")
    ('www.xn--bcher-kva.de', 'ads.example.org')
    """
    try:
        host = urlsplit(url if SCHEME.match(url) else f"//{url}").hostname or ""
    except ValueError:  # brackets that hold no address
        return ""
    host = host.strip(".").lower()
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host


def normal_page(url: str) -> str:
    """A URL as it is listed: without scheme, www., port, fragment and last slash, unquoted.

    >>> normal_page("https://www.Example.org:443/Terms%20of%20use/#top")
    'example.org/Terms of use'
    """
    rest = SCHEME.sub("", url.strip()).partition("#")[0]
    place = re.split(r"[/?]", rest, maxsplit=1)[0]
    return normal_host(url).removeprefix("www.") + unquote(rest[len(place) :]).rstrip("/")


def holds(hashes: Hashes, entry: str) -> bool:
    """Whether a sorted list has an entry."""
    if not len(hashes):
        return False
    wanted = np.uint64(hash_of(entry))
    place = int(np.searchsorted(hashes, wanted))
    return place < len(hashes) and bool(hashes[place] == wanted)


def hash_of(entry: str) -> int:
    """64 bits of an entry: of 5 million, one in 4e12 others is taken for one of them."""
    return xxhash.xxh3_64_intdigest(entry.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=4)
def load_lists(rules: UrlRules) -> Lists:
    """The lists of some rules; once per process."""
    substrings = sorted({entry.casefold() for entry in rules.entries("substrings")})
    return Lists(
        domains=_hashes(map(normal_host, rules.entries("domains"))),
        subdomains=_hashes(map(normal_host, rules.entries("subdomains"))),
        urls=_hashes(map(normal_page, rules.entries("urls"))),
        hard_words=frozenset(map(str.casefold, rules.entries("hard_words"))),
        soft_words=frozenset(map(str.casefold, rules.entries("soft_words"))),
        substrings=re.compile("|".join(map(re.escape, substrings))) if substrings else None,
        min_soft_words=rules.min_soft_words,
    )


def read_list(path: Path) -> Iterator[str]:
    """The entries of a file: the last word of each line, without comments."""
    data = path.read_bytes()
    if data.startswith(GZIP_MAGIC):
        data = gzip.decompress(data)
    for line in data.decode("utf-8-sig", "replace").splitlines():
        words = re.sub(r"(^|\s)#.*", "", line).split()
        if words:
            yield words[-1]


def _hashes(entries: Iterable[str]) -> Hashes:
    return np.unique(np.fromiter((hash_of(entry) for entry in entries if entry), np.uint64))
