"""Datatrove's filters as our peers and oracles: which documents each of them keeps.

Words are those between white space, sentences those of datatrove's own tokenizer for scripts
without rules; or both are those of its tokenizer for English, which is spaCy's.

As a program it reads a JSON list of texts and writes `{filter: [kept, ...]}` for all four filters;
or for `fineweb_v1` alone; or, as `c4_texts`, what C4's line rules leave of each text:

    python benchmarks/datatrove_filters.py < texts.json > decisions.json
    python benchmarks/datatrove_filters.py fineweb_v1 < texts.json > decisions.json
"""

import json
import logging
import sys
from collections.abc import Sequence
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.utils.word_tokenizers import WhitespaceTokenizer

V1_MARKS = (".", "'", '"', "!", "?")
NAMES = ("gopher_quality", "gopher_repetition", "c4", "fineweb")


class Spaces(WhitespaceTokenizer):
    """Words between white space; the class above takes spaCy's for any language."""

    def word_tokenize(self, text: str) -> list[str]:
        return text.split()


def filters(language: Any) -> dict[str, Any]:
    """The four filters with their defaults; `language` is "eng" or a tokenizer."""
    return {
        "gopher_quality": GopherQualityFilter(language=language),
        "gopher_repetition": GopherRepetitionFilter(language=language),
        "c4": C4QualityFilter(language=language),
        "fineweb": FineWebQualityFilter(language=language),
    }


def kept(one: Any, text: str) -> bool:
    """Whether one filter keeps a text; one that it cannot divide by is not kept."""
    try:
        return one.filter(Document(text=text, id="")) is True
    except ZeroDivisionError:
        return False


def decisions(texts: Sequence[str], language: Any = None) -> dict[str, list[bool]]:
    """What every filter keeps, document by document, so that words are split once for all."""
    every = filters(language or Spaces())
    found: dict[str, list[bool]] = {name: [] for name in every}
    for text in texts:
        for name, one in every.items():
            found[name].append(kept(one, text))
    return found


def fineweb_v1(texts: Sequence[str]) -> list[bool]:
    """What the FineWeb filter of today keeps with the marks of version 1."""
    one = FineWebQualityFilter(language=Spaces(), stop_chars=V1_MARKS)
    return [kept(one, text) for text in texts]


def c4_texts(texts: Sequence[str]) -> list[str | None]:
    """What C4's line rules leave of each text; None where they drop the document."""
    one = C4QualityFilter(language=Spaces(), min_num_sentences=0)
    documents = [Document(text=text, id="") for text in texts]
    return [each.text if one.filter(each) is True else None for each in documents]


if __name__ == "__main__":
    logging.disable()
    read = json.load(sys.stdin)
    match sys.argv[1:]:
        case ["fineweb_v1"]:
            answer: dict[str, Any] = {"fineweb_v1": fineweb_v1(read)}
        case ["c4_texts"]:
            answer = {"c4_texts": c4_texts(read)}
        case _:
            answer = decisions(read)
    json.dump(answer, sys.stdout)
