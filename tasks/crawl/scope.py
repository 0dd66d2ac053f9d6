"""What belongs to a crawl: hosts and links."""

from collections.abc import Iterable
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def host_of(url: str) -> str:
    """Host and, unless it is the scheme's own, port.

    >>> host_of("HTTP://Example.org:80/a"), host_of("http://example.org:8080/")
    ('example.org', 'example.org:8080')
    """
    parts = urlsplit(url)
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
    if urlsplit(url).scheme.lower() not in DEFAULT_PORTS:
        return False
    host = host_of(url)
    return bool(host) and any(
        host == pattern.removeprefix("*.")
        or (pattern.startswith("*.") and host.endswith(pattern[1:]))
        for pattern in hosts
    )
