"""What a source's pages are after a capture: those found now, and those that stay as they were.

Each of the `num_files` WARC files holds the records of its pages that are here, sorted by URL. A
page whose text did not change keeps its old record, byte for byte; a file none of whose pages
changed is the old file itself, so that nothing behind it runs again.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path

from pipeline_config.live import LiveCapture
from storage.artifact import Counts
from tasks.crawl.findings import Findings
from tasks.crawl.ledger import MOVED, UNREACHED, Outcome, Page, Place, next_page
from tasks.crawl.opt_outs import tdm_of
from tasks.crawl.previous import Previous
from tasks.crawl.scope import (
    PERMANENT,
    REDIRECTS,
    Scope,
    host_of,
    page_url,
    redirect_target,
    unique,
)
from tasks.crawl.warc_writing import (
    ASIDE_NAME,
    CaptureFolder,
    Span,
    bucket_of,
    exchange_spans,
    file_name,
    warcinfo,
)

MAX_HOPS = 10


@dataclass
class Recapture:
    """A source's pages after a capture, and what became of each URL."""

    pages: dict[str, Page]
    kept: Counter[str] = field(default_factory=Counter)  # new, changed, unchanged, carried, missing
    counts: Counts = field(default_factory=Counts)  # of what is no page, by reason
    not_reached: Counter[str] = field(default_factory=Counter)  # why pages were carried


def recapture(
    capture: LiveCapture, folder: CaptureFolder, findings: Findings, previous: Previous, today: str
) -> Recapture:
    """Brings what was known and what was found together."""
    seeds = unique(capture.seeds)
    hosts = capture.hosts or tuple(host_of(seed) for seed in seeds)
    judge = _Judge(
        capture, folder, findings, Scope(hosts, capture.allow, capture.deny, seeds), previous
    )
    result = Recapture({})
    for url in sorted(previous.pages.keys() | findings.outcomes.keys()):
        known, outcome = previous.pages.get(url), judge.outcome(url)
        page = next_page(known, outcome, capture.as_of, today)
        if page is not None:
            result.pages[url] = page
        if page is not None and page.is_here:
            result.kept[_how_kept(known, page, outcome)] += 1
            if outcome is not None and outcome.reason.startswith(UNREACHED):
                result.not_reached[outcome.reason] += 1
        elif known is not None and known.is_here:
            is_gone = page is not None and page.state == "gone"
            result.counts.drop("gone" if is_gone else _reason(outcome), example=url)
        elif outcome is not None and outcome.reason:
            result.counts.drop(outcome.reason, example=url)
    result.counts.drop("too_many_links", findings.num_links_left)
    return result


def _reason(outcome: Outcome | None) -> str:
    assert outcome is not None
    return outcome.reason


def _how_kept(known: Page | None, page: Page, outcome: Outcome | None) -> str:
    if known is None or not known.is_here:
        return "new"
    if page.state == "missing":
        return "missing"
    if outcome is None or outcome.reason:
        return "carried"
    return "unchanged" if page.place else "changed"


class _Judge:
    """Finds the outcome of a URL where more than its own answer counts."""

    def __init__(
        self,
        capture: LiveCapture,
        folder: CaptureFolder,
        findings: Findings,
        scope: Scope,
        previous: Previous,
    ) -> None:
        self.capture = capture
        self.folder = folder
        self.findings = findings
        self.scope = scope
        self.previous = previous

    def outcome(self, url: str) -> Outcome | None:
        """What the capture found at a URL, None when it did not ask."""
        found = self.findings.outcomes.get(url)
        known = self.previous.page(url)
        if found is None and known is None:
            return None
        if outside := self.scope.why_outside(page_url(url)):
            return Outcome(url, outside)
        if found is not None:
            reason = found.reason or self._why_unused(url)
            if not reason and self._is_at_canonical(found):
                reason = "not_canonical"
            return replace(found, reason=reason)
        if known is not None and known.depth > self.capture.max_depth:
            return Outcome(url, "denied")
        return self._moved(url)

    def _moved(self, url: str) -> Outcome | None:
        """Whether a page redirects: for good to a page that is here, or in another way."""
        here = url
        for _ in range(MAX_HOPS):
            stored = self.folder.read(here)
            if stored is None or stored.status not in REDIRECTS:
                break
            if stored.status not in PERMANENT:
                return Outcome(url, "redirected")
            here = redirect_target(here, stored.header("Location"))
        if here == url:
            return None
        target = self.findings.outcomes.get(here)
        if target is None:
            return Outcome(url, "redirected")
        reason = target.reason or self._why_unused(here)
        if reason.startswith(UNREACHED):
            return Outcome(url, reason)
        return Outcome(url, "redirected" if target.reason else MOVED)

    def _why_unused(self, url: str) -> str:
        """Whether a site's file reserves a page, or may; "" for one that says other itself."""
        if "tdm" not in self.capture.opt_outs or url in self.findings.free:
            return ""
        rules = self.findings.rules.get(host_of(url))
        if rules is None:
            return "tdm_unreachable"
        return "opted_out_tdm" if tdm_of(url, rules) else ""

    def _is_at_canonical(self, found: Outcome) -> bool:
        """Whether a page is also here under the address that it names as its own."""
        seen = {found.url}
        while found.canonical:
            target = self.findings.outcomes.get(found.canonical)
            if target is None or target.reason or target.url in seen:
                return False
            if self._why_unused(target.url):
                return False
            seen.add(target.url)
            found = target
        return len(seen) > 1


# ---- files


@dataclass
class WrittenFiles:
    """The files of a capture: those to add, and those of the capture before that stay."""

    new: list[Path] = field(default_factory=list)
    same: list[str] = field(default_factory=list)


def write_files(
    result: Recapture, folder: CaptureFolder, previous: Previous, target: Path
) -> WrittenFiles:
    """Writes the WARC files; puts each page's place in them into the ledger of `result`."""
    buckets: dict[str, list[Page]] = {}
    for page in result.pages.values():
        if page.is_here:
            name = file_name(bucket_of(page.url, folder.num_files))
            buckets.setdefault(name, []).append(page)
    before: Counter[str] = Counter(
        page.place.file for page in previous.pages.values() if page.is_here and page.place
    )
    written = WrittenFiles()
    for name, pages in sorted(buckets.items()):
        in_place = sum(page.place is not None and page.place.file == name for page in pages)
        if in_place == len(pages) == before[name]:
            written.same.append(name)
            continue
        path = target / name
        for page, place in _write(path, pages, folder, previous):
            result.pages[page.url] = replace(page, place=place)
        written.new.append(path)
    return written


def _write(
    path: Path, pages: Iterable[Page], folder: CaptureFolder, previous: Previous
) -> Iterable[tuple[Page, Place]]:
    """Writes one file; gives each page its place."""
    places = []
    with path.open("wb") as file:
        file.write(warcinfo(path.name, folder.info))
        for page in sorted(pages, key=lambda page: page.url):
            place = page.place
            if place is not None:
                start, source = place.offset, previous.files[place.file]
                end = start + place.length
            else:
                span = folder.spans[page.url]
                start, end, source = span.start, span.end, span.path
            places.append((page, Place(path.name, file.tell(), end - start)))
            file.write(_bytes(source, start, end))
    return places


def write_visits(folder: CaptureFolder, path: Path) -> bool:
    """Writes what was asked for and is no page: robots.txt, redirects, errors, 304.

    Pages are left out: they are kept, or were kept before, or must not be kept.
    """
    spans = list(_visits(folder))
    if not spans:
        return False
    with path.open("wb") as file:
        file.write(warcinfo(path.name, folder.info))
        for span in spans:
            file.write(_bytes(span.path, span.start, span.end))
    return True


def _visits(folder: CaptureFolder) -> Iterable[Span]:
    aside = folder.folder / ASIDE_NAME
    if aside.exists():
        yield from exchange_spans(aside)
    for url in sorted(folder.spans):
        span = folder.spans[url]
        if span.path != aside:
            stored = folder.read(url)
            if stored is not None and (stored.status != HTTPStatus.OK or stored.truncated):
                yield span


def _bytes(path: Path, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)
