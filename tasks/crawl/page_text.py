"""The text that was found on a page, and the reasons why there is none."""

from dataclasses import dataclass, field


class NoTextError(ValueError):
    """A page gives no document; the message is the reason that it is counted under."""


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page, and what the page declares."""

    text: str
    language: str = ""
    licence: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
