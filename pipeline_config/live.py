"""Settings of a live crawl: which pages of a site are captured, and how politely."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from pipeline_config.base import StageConfig

HOST_PORT = r"^[A-Za-z0-9.\-\[\]:]+:\d+$"
HOST_PATTERN = r"^(\*\.)?[A-Za-z0-9.\-]+(:\d+)?$"
OptOut = Literal["noindex", "noai", "noimageai", "tdm"]


class LiveCapture(StageConfig):
    """A site to crawl, politely: robots.txt is always obeyed, other hosts are never asked."""

    kind: Literal["live"] = "live"
    seeds: tuple[str, ...] = Field(min_length=1, description="URLs to start from")
    hosts: tuple[Annotated[str, Field(pattern=HOST_PATTERN)], ...] = Field(
        default=(),
        description="hosts to stay on, `*.` for all subdomains; if empty, those of the seeds",
    )
    allow: tuple[str, ...] = Field(
        default=(),
        description="regular expressions: a URL is followed only if one is found in it; if empty, "
        "all are; seeds are always asked",
    )
    deny: tuple[str, ...] = Field(
        default=(),
        description="regular expressions: a URL is not followed if one is found in it",
    )
    sitemaps: tuple[str, ...] = Field(
        default=(), description="URLs of sitemaps; their pages count as links of a seed"
    )
    robots_sitemaps: bool = Field(
        default=True, description="also read the sitemaps that robots.txt names"
    )
    opt_outs: tuple[OptOut, ...] = Field(
        default=("noindex", "noai", "noimageai", "tdm"),
        description="signals that keep a page out: in X-Robots-Tag and meta robots, and the "
        "reservation of text and data mining in headers, meta tags and /.well-known/tdmrep.json",
    )
    serve: Literal["", "pydoc"] = Field(
        default="",
        description="pydoc: the seeds' host is this Python's documentation, served on loopback "
        "while it is crawled; its modules and topics become metadata unless url_fields says other",
    )
    allow_private: tuple[Annotated[str, Field(pattern=HOST_PORT)], ...] = Field(
        default=(),
        description="`host:port` on private, link-local or loopback addresses that may be asked",
    )
    max_pages: int = Field(default=10_000, ge=1, description="pages asked for per capture")
    max_seconds: float = Field(
        default=0.0, ge=0, description="seconds until a capture ends with what it has; 0: no end"
    )
    max_depth: int = Field(
        default=20, ge=0, le=1_000, description="links from a seed; 0: seeds only"
    )
    max_page_bytes: int = Field(
        default=10_000_000, ge=1_000, description="bytes; the rest of a longer page is not fetched"
    )
    content_types: tuple[str, ...] = Field(
        default=("text/html", "application/xhtml+xml"),
        min_length=1,
        description="media types whose bodies are fetched",
    )
    num_files: int = Field(
        default=8,
        ge=1,
        le=10_000,
        description="WARC files the pages are spread over, by the hash of their URL",
    )
    user_agent: str = Field(
        default="crawl2chat",
        pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$",
        description="name that robots.txt rules are matched with",
    )
    contact: str = Field(
        default="", description="mail address or URL where a site's owner reaches who crawls"
    )
    as_of: str = Field(default="", description="a new value, such as a date, captures again")
    # How fast a site is asked changes no page: these stay out of the capture's key.
    delay_seconds: float = Field(
        default=1.0, ge=0, le=3_600, exclude=True, description="seconds between requests to a host"
    )
    concurrency: int = Field(
        default=2, ge=1, le=64, exclude=True, description="requests to a host at one time"
    )
    timeout_seconds: float = Field(
        default=30.0, gt=0, le=600, exclude=True, description="seconds until a request is given up"
    )
    retries: int = Field(
        default=2,
        ge=0,
        le=20,
        exclude=True,
        description="repeats after a timeout or a server error",
    )

    @field_validator("seeds", "sitemaps")
    @classmethod
    def _check_addresses(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"{url!r} is no web address; write http://host/path")
        return urls

    @field_validator("allow", "deny")
    @classmethod
    def _check_patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        return patterns

    @model_validator(mode="after")
    def _check_contact(self) -> "LiveCapture":
        if not self.serve and not self.contact:
            raise ValueError(
                "contact is empty; give a mail address or URL where a site's owner reaches you"
            )
        return self
