"""Settings of a live crawl: which pages of a site are captured, and how politely."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from pipeline_config.base import StageConfig

HOST_PORT = r"^[A-Za-z0-9.\-\[\]:]+:\d+$"
HOST_PATTERN = r"^(\*\.)?[A-Za-z0-9.\-]+(:\d+)?$"


class LiveCapture(StageConfig):
    """A site to crawl, politely: robots.txt is always obeyed, other hosts are never asked."""

    kind: Literal["live"] = "live"
    seeds: tuple[str, ...] = Field(min_length=1, description="URLs to start from")
    hosts: tuple[Annotated[str, Field(pattern=HOST_PATTERN)], ...] = Field(
        default=(),
        description="hosts to stay on, `*.` for all subdomains; if empty, those of the seeds",
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
    max_pages: int = Field(default=10_000, ge=1, description="pages fetched per capture")
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

    @field_validator("seeds")
    @classmethod
    def _check_seeds(cls, seeds: tuple[str, ...]) -> tuple[str, ...]:
        for seed in seeds:
            parts = urlsplit(seed)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"{seed!r} is no web address; write http://host/path")
        return seeds

    @model_validator(mode="after")
    def _check_contact(self) -> "LiveCapture":
        if not self.serve and not self.contact:
            raise ValueError(
                "contact is empty; give a mail address or URL where a site's owner reaches you"
            )
        return self
