"""Lines and paragraphs that come again: copies within a page, and boilerplate across pages.

Two are the same when their normal forms are (`tasks.text.normalise`); what has fewer characters
than the least stays. A cut takes the break behind the line with it.
"""

import re
from collections.abc import Container, Iterator

import xxhash

from pipeline_config.edits import RepeatedLineRules
from tasks.text import normalise

BREAKS = {"line": re.compile(r"\n"), "paragraph": re.compile(r"\n{2,}")}
WITHIN, ACROSS = "repeated_line", "boilerplate"


def lines_of(text: str, rules: RepeatedLineRules) -> Iterator[tuple[int, int, int]]:
    """Yield (start, end with its break, hash) of every line or paragraph that is long enough."""
    start = 0
    for match in [*BREAKS[rules.unit].finditer(text), None]:
        end, following = match.span() if match else (len(text), len(text))
        line = text[start:end]
        if len(line) >= rules.min_chars:
            normal = normalise(line)
            if len(normal) >= rules.min_chars:
                yield start, following, line_hash(normal)
        start = following


def line_hash(normal: str) -> int:
    """Return 63 bits, so that a signed column holds them."""
    return xxhash.xxh3_64_intdigest(normal.encode("utf-8", "surrogatepass")) >> 1


def repeated_line_edits(
    text: str, rules: RepeatedLineRules, boilerplate: Container[int]
) -> list[tuple[int, int, str]]:
    """Return the spans (start, end, reason) to cut; `boilerplate` are the hashes of such lines."""
    if not rules.enabled:
        return []
    spans: list[tuple[int, int, str]] = []
    seen: set[int] = set()
    for start, end, name in lines_of(text, rules):
        if name in boilerplate:
            spans.append((start, end, ACROSS))
        elif rules.within_page and name in seen:
            spans.append((start, end, WITHIN))
        seen.add(name)
    return spans
