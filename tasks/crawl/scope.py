"""What belongs to a crawl: hosts, patterns, and the one form in which a URL is asked for.

URLs are not brought to courlan's form: it drops parameters without a value (`/?about`) and such as
`source=`, by which sites do choose pages.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import SplitResult, urldefrag, urljoin, urlsplit, urlunsplit

from w3lib.url import safe_url_string

DEFAULT_PORTS = {"http": 80, "https": 443}
PERMANENT = frozenset({301, 308})
REDIRECTS = PERMANENT | {302, 303, 307}
# Parameters that say where a visitor came from, or who he is; they choose no page.
TRACKING = re.compile(
    r"(?:utm_\w+|mtm_\w+|pk_(?:campaign|kwd|source|medium)|hsa_\w+|mc_[ce]id|oly_(?:enc|anon)_id"
    r"|[dg]clid|gclsrc|[gw]braid|fbclid|igshid|msclkid|twclid|yclid|ysclid|vero_(?:id|conv)|_ga|_gl"
    r"|phpsessid|jsessionid|aspsessionid\w*)",
    re.IGNORECASE,
)
PATH_SESSION = re.compile(r";jsessionid=[^/?;]*", re.IGNORECASE)


def host_of(url: str) -> str:
    """Host and, unless it is the scheme's own, port.

    >>> host_of("HTTP://Example.org:80/a"), host_of("http://example.org:8080/")
    ('example.org', 'example.org:8080')
    """
    parts = _split(url)
    host = (parts.hostname or "").lower()
    try:
        port = parts.port
    except ValueError:
        return ""
    return host if port in (None, DEFAULT_PORTS.get(parts.scheme.lower())) else f"{host}:{port}"


def endpoint_of(url: str) -> str:
    """`host:port` of a URL, the scheme's own port included.

    >>> endpoint_of("http://pydoc.demo/json.html")
    'pydoc.demo:80'
    """
    parts = urlsplit(url)
    return f"{(parts.hostname or '').lower()}:{parts.port or DEFAULT_PORTS[parts.scheme.lower()]}"


def is_inside(url: str, hosts: Iterable[str]) -> bool:
    """Whether a web address is on one of the hosts; `*.name` is `name` with all its subdomains.

    >>> is_inside("http://docs.example.org/", ["*.example.org"])
    True
    >>> is_inside("http://example.org.evil.net/", ["example.org"])
    False
    """
    if _split(url).scheme.lower() not in DEFAULT_PORTS:
        return False
    host = host_of(url)
    return bool(host) and any(
        host == pattern.removeprefix("*.")
        or (pattern.startswith("*.") and host.endswith(pattern[1:]))
        for pattern in hosts
    )


@dataclass(frozen=True)
class Scope:
    """The hosts, patterns and seeds of a crawl."""

    hosts: tuple[str, ...]
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()

    @cached_property
    def _patterns(self) -> tuple[list[re.Pattern[str]], list[re.Pattern[str]]]:
        return [re.compile(p) for p in self.allow], [re.compile(p) for p in self.deny]

    def why_outside(self, url: str) -> str:
        """Why a URL is not followed: `off_host`, `denied`, or "" when it is.

        >>> Scope(("a.org",), deny=("/print/",)).why_outside("http://a.org/print/1")
        'denied'
        """
        if not is_inside(url, self.hosts):
            return "off_host"
        if url in self.seeds:
            return ""
        allow, deny = self._patterns
        if any(pattern.search(url) for pattern in deny):
            return "denied"
        return "denied" if allow and not any(pattern.search(url) for pattern in allow) else ""


def page_url(url: str) -> str:
    """The one form of a URL under which a page is asked for, kept and found again.

    Lower-case scheme and host, no default port, no dot segments, no fragment, escaped by the
    URL standard, without parameters that only track; otherwise as it was written.

    >>> page_url("HTTP://Example.org:80/a/../b ü?x=1&utm_source=y&b#top")
    'http://example.org/b%20%C3%BC?x=1&b'
    """
    try:
        parts = urlsplit(safe_url_string(url.strip()))
        port = parts.port
    except ValueError:
        return url
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if not host or scheme not in DEFAULT_PORTS:
        return url
    host = f"[{host}]" if ":" in host else host
    netloc = host if port in (None, DEFAULT_PORTS[scheme]) else f"{host}:{port}"
    path = _without_dots(PATH_SESSION.sub("", parts.path)) or "/"
    query = "&".join(
        part for part in parts.query.split("&") if not TRACKING.fullmatch(part.partition("=")[0])
    )
    return urlunsplit((scheme, netloc, path, query, ""))


def redirect_target(url: str, location: str) -> str:
    """The URL that a redirect leads to, in the form of `page_url`; "" when it leads nowhere.

    Where only a session or a visitor's origin is added, what was added stays: without it the
    redirect would lead to itself.

    >>> redirect_target("http://a.org/x", "/b ü?utm_id=1"), redirect_target("http://a.org/", "//[")
    ('http://a.org/b%20%C3%BC', '')
    """
    try:
        target = urldefrag(urljoin(url, safe_url_string(location))).url
    except ValueError:
        return ""
    form = page_url(target)
    if form != url:
        return form
    return "" if target == url else target


def _without_dots(path: str) -> str:
    """A path without `.` and `..`, by RFC 3986, 5.2.4."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return "/" + "/".join(kept + [""] * (segments[-1] in (".", "..")))


def unique(urls: Sequence[str]) -> tuple[str, ...]:
    """URLs in the form of `page_url`, each once, in order."""
    return tuple(dict.fromkeys(page_url(url) for url in urls))


def _split(url: str) -> SplitResult:
    """The parts of a URL; those of an empty one where brackets do not fit."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
