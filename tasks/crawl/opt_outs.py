"""What a site says about the use of its pages, beside robots.txt: robots directives and TDM.

Directives come in the X-Robots-Tag header and in meta tags, each for all robots or for one by name.
The TDM Reservation Protocol (W3C Community Group, 10 May 2024) has a file per site, a header and a
meta tag, of which the later one supersedes the earlier ones.
"""

import json
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from pipeline_config.live import OptOut

TDM_FILE = "/.well-known/tdmrep.json"
WITH_VALUE = frozenset(
    {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
)
SIGNALS: dict[OptOut, frozenset[str]] = {
    "noindex": frozenset({"noindex", "none"}),
    "noai": frozenset({"noai"}),
    "noimageai": frozenset({"noimageai"}),
}
UNRESERVED = re.compile(r"%(2[dDeE]|3\d|[46]1|[4-6][2-9a-fA-F]|[57][0-9aA]|5[fF]|7[eE])")


def header_directives(values: Iterable[str], robot: str) -> set[str]:
    """The directives of X-Robots-Tag headers for all robots and for `robots`' own name.

    >>> sorted(header_directives(["noindex, nofollow", "otherbot: noai"], "crawl2chat"))
    ['nofollow', 'noindex']
    """
    found = set()
    for value in values:
        agent = ""
        for part in value.lower().split(","):
            name, colon, rest = (text.strip() for text in part.partition(":"))
            if colon and name not in WITH_VALUE:
                agent, name = name, rest.partition(":")[0].strip()
            if agent in ("", "*", "robots", robot.lower()):
                found.add(name)
    return found - {""}


def meta_directives(metas: Iterable[tuple[str, str]], robot: str) -> set[str]:
    """The directives of meta tags (name, content) for all robots and for `robot`.

    >>> sorted(meta_directives([("robots", "noai, noimageai"), ("googlebot", "noindex")], "x"))
    ['noai', 'noimageai']
    """
    names = ("robots", robot.lower())
    return {
        part.partition(":")[0].strip().lower()
        for name, content in metas
        if name.strip().lower() in names
        for part in re.split(r"[,\s]+", content)
    } - {""}


def opted_out(directives: Set[str], reserved: bool, policy: Sequence[OptOut]) -> str:
    """The first signal of `policy` that keeps a page out, or "".

    >>> opted_out({"none", "noai"}, reserved=False, policy=["noai", "noindex"])
    'noai'
    """
    for signal in policy:
        if reserved if signal == "tdm" else directives & SIGNALS[signal]:
            return signal
    return ""


# ---- text and data mining


def reservation(value: str | None) -> bool | None:
    """What `tdm-reservation` says; None when it says nothing, or nothing that is defined.

    >>> reservation("1"), reservation(" 0 "), reservation("yes")
    (True, False, None)
    """
    return {"1": True, "0": False}.get((value or "").strip())


@dataclass(frozen=True, slots=True)
class TdmRule:
    """One rule of a site's file: which paths, and whether they are reserved."""

    location: str
    reserved: bool


def tdm_rules(body: bytes) -> list[TdmRule]:
    """The rules of a /.well-known/tdmrep.json, in order; broken ones are passed over."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return []
    rules = []
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, dict) and isinstance(entry.get("location"), str):
            said = reservation(str(entry.get("tdm-reservation")))
            if said is not None:
                rules.append(TdmRule(entry["location"], said))
    return rules


def tdm_of(url: str, rules: Iterable[TdmRule]) -> bool | None:
    """What the first fitting rule says of a URL, None when none fits.

    >>> tdm_of("http://a.org/x/1.jpg", [TdmRule("/x/*.jpg$", False), TdmRule("/x/", True)])
    False
    """
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return next((rule.reserved for rule in rules if path_fits(path, rule.location)), None)


def path_fits(path: str, pattern: str) -> bool:
    """Whether a path begins with a pattern of robots.txt's kind: `*` anything, `$` the end.

    In linear time, whatever the pattern: it comes from strangers.

    >>> path_fits("/a/b/c", "/a/*/c$"), path_fits("/a/b/cd", "/a/*/c$"), path_fits("/abc", "/a")
    (True, False, True)
    """
    path = _decoded(path)
    ends = pattern.endswith("$")
    first, *others = _decoded(pattern.removesuffix("$")).split("*")
    if not path.startswith(first):
        return False
    if not others:
        return not ends or path == first
    position = len(first)
    for piece in others[:-1] if ends else others:
        found = path.find(piece, position)
        if found < 0:
            return False
        position = found + len(piece)
    return not ends or (path.endswith(others[-1]) and len(path) - len(others[-1]) >= position)


def _decoded(path: str) -> str:
    """A path whose escapes of letters, digits and `-._~` are undone, as the protocol asks."""
    return UNRESERVED.sub(lambda match: unquote(match[0]), path)
