"""Passages of the user's documents: what instances are made over.

A passage is a run of words of one document, white space collapsed, with chat control tokens made
harmless. One side of the held-out split is a `Shelf`: its documents, by source.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from tasks.teacher.fence import defuse

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Document:
    """A kept document of the user; `text` has one space between any two words."""

    id: str
    cluster: str
    source: str
    url: str
    licence: str
    text: str

    @property
    def is_python(self) -> bool:
        """Whether it is Python source code, by its address."""
        path = re.split("[?#]", self.url, maxsplit=1)[0]  # urlsplit refuses some that are crawled
        return path.endswith((".py", ".pyi"))


def document(
    id_: str, cluster: str, source: str, url: str, licence: str, raw_text: str
) -> Document:
    """A document whose text can be quoted: white space collapsed, control tokens broken."""
    return Document(id_, cluster, source, url, licence, defuse(" ".join(raw_text.split())))


@dataclass(frozen=True, slots=True)
class Passage:
    """`words` words of a document from word `start` on; a cut may leave part of the last one."""

    document: Document
    text: str
    start: int

    @property
    def words(self) -> int:
        """How many words it touches."""
        return self.text.count(" ") + 1


@dataclass(frozen=True, slots=True)
class Cut:
    """How long passages are."""

    min_words: int
    max_words: int
    max_chars: int

    def words(self, rng: np.random.Generator) -> int:
        """A length."""
        return int(rng.integers(self.min_words, self.max_words + 1))


@dataclass(frozen=True)
class Shelf:
    """The documents of one side of the split that are long enough to be quoted."""

    documents: tuple[Document, ...]

    @cached_property
    def by_source(self) -> dict[str, tuple[Document, ...]]:
        """The documents of every source, sources in the order of their names."""
        names = sorted({one.source for one in self.documents})
        return {name: tuple(one for one in self.documents if one.source == name) for name in names}

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the sources, sorted."""
        return tuple(self.by_source)

    @cached_property
    def python(self) -> "Shelf":
        """The Python code among them."""
        return Shelf(tuple(one for one in self.documents if one.is_python))

    @cached_property
    def prose(self) -> "Shelf":
        """What is not Python code."""
        return Shelf(tuple(one for one in self.documents if not one.is_python))

    def any_document(self, rng: np.random.Generator, source: str = "") -> Document | None:
        """A document of `source`, or of a source drawn first; None if there is none."""
        if not source and self.sources:
            source = pick(rng, self.sources)
        found = self.by_source.get(source, ())
        return pick(rng, found) if found else None


def pick(rng: np.random.Generator, items: Sequence[T]) -> T:
    """One of `items`, uniformly."""
    return items[int(rng.integers(len(items)))]


def passage_anywhere(of: Document, cut: Cut, rng: np.random.Generator) -> Passage | None:
    """A passage from a random place; None when the words there are too long."""
    start = int(rng.integers(len(of.text)))
    return passage_from(of, of.text.rfind(" ", 0, start) + 1, cut, rng)


def passage_from(of: Document, start: int, cut: Cut, rng: np.random.Generator) -> Passage | None:
    """The passage that begins at character `start`, which must begin a word."""
    wanted = cut.words(rng)
    words = of.text[start : start + cut.max_chars + 1].split(" ")
    if len(words) <= wanted:  # the last one may be cut off
        return None
    return Passage(of, " ".join(words[:wanted]), of.text.count(" ", 0, start))


def passage_until(of: Document, end: int, cut: Cut, rng: np.random.Generator) -> Passage | None:
    """The passage that ends before character `end`."""
    wanted = cut.words(rng)
    begin = max(0, end - cut.max_chars - 1)
    words = of.text[begin:end].rstrip(" ").split(" ")
    if len(words) <= wanted:
        return None
    text = " ".join(words[-wanted:])
    start = of.text.count(" ", 0, begin) + len(words) - wanted
    return Passage(of, text, start)
