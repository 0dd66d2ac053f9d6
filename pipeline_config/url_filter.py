"""Settings of the URL filter: pages that are left out because of their address alone."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline_config.base import StageConfig
from pipeline_config.extraction import GivenKeys

UrlList = Literal["domains", "subdomains", "urls", "hard_words", "soft_words", "substrings"]


class UrlFilter(StageConfig):
    """Blocklists, given here or in files; all of them are empty by default."""

    domains: tuple[str, ...] = Field(
        default=(), description="domains such as example.org, with all their subdomains"
    )
    subdomains: tuple[str, ...] = Field(
        default=(), description="hosts such as ads.example.org, these alone"
    )
    urls: tuple[str, ...] = Field(
        default=(), description="pages such as example.org/terms, with or without http(s)://www."
    )
    hard_words: tuple[str, ...] = Field(
        default=(), description="words in lower case, one of which in a URL is enough"
    )
    soft_words: tuple[str, ...] = Field(
        default=(), description="words in lower case of which min_soft_words must be in a URL"
    )
    substrings: tuple[str, ...] = Field(
        default=(), description="letters and digits found anywhere in those of a URL, over words"
    )
    min_soft_words: int = Field(
        default=2, ge=1, description="distinct soft words that drop a page; 2 as in RefinedWeb"
    )
    files: dict[UrlList, tuple[str, ...]] = Field(
        default_factory=dict,
        description="files with one entry per line for the lists above, plain or gzipped; # begins "
        "a comment; of a hosts file the last word of a line counts",
    )

    @model_validator(mode="after")
    def _check_words(self) -> Self:
        for name in ("hard_words", "soft_words", "substrings"):
            for word in getattr(self, name):
                if not word.isalnum() or word != word.casefold():
                    raise ValueError(
                        f"{name}: {word!r} must be letters and digits in lower case; a URL is "
                        "cut at everything else"
                    )
        return self


class UrlFilterOverrides(UrlFilter, GivenKeys):
    """In what the URL filter of one source differs."""
