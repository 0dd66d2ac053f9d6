"""The capture before this one, as the crawl sees it: its ledger and its files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.crawl.ledger import Page, load_ledger
from tasks.crawl.warc_writing import Stored, read_answer


@dataclass(frozen=True)
class Previous:
    """What is known of a site."""

    pages: dict[str, Page]
    files: dict[str, Path]

    def page(self, url: str) -> Page | None:
        """A page whose text is here, or None."""
        page = self.pages.get(url)
        return page if page is not None and page.is_here else None

    def answer(self, url: str) -> Stored | None:
        """The kept answer of a page."""
        page = self.page(url)
        if page is None or page.place is None:
            return None
        return read_answer(self.files[page.place.file], page.place.offset)


NOTHING = Previous({}, {})


@dataclass(frozen=True)
class PreviousFiles:
    """The same, before it is read: what another process is told."""

    ledger: Path
    files: dict[str, Path]

    def as_job(self) -> dict[str, Any]:
        """A JSON value that `load_previous` takes."""
        return {
            "ledger": str(self.ledger),
            "files": {name: str(path) for name, path in self.files.items()},
        }


def load_previous(job: dict[str, Any] | None) -> Previous:
    """The capture that a job names, or one that knows nothing."""
    if job is None:
        return NOTHING
    return Previous(
        load_ledger(Path(job["ledger"])),
        {name: Path(path) for name, path in job["files"].items()},
    )
