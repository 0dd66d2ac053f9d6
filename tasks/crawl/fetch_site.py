"""The part of the step `fetch` that captures a live site, beginning with what is known of it.

Output: `00000.warc.gz` … with the pages, `visits.warc.gz` with what was asked for and is no page,
`ledger.parquet` for the next capture.

The ledger of the capture before is found in the store, as the newest capture of the same source and
host. It is no argument of the step: like the site itself it is a part of the outside world, which a
capture's key names by `as_of` and whose first capture stays. So a run with the same `as_of` finds
its capture whatever was captured since.
"""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

from pipeline_config.live import LiveCapture
from storage.artifact import ArtifactRef, Counts, Manifest
from storage.build import Build
from storage.store import StoreError
from tasks.crawl.findings import load_findings
from tasks.crawl.ledger import LEDGER_NAME, save_ledger
from tasks.crawl.live import CrawlProgress, crawl
from tasks.crawl.previous import NOTHING, PreviousFiles, load_previous
from tasks.crawl.recapture import (
    Recapture,
    recapture,
    write_files,
    write_visits,
)
from tasks.crawl.scope import endpoint_of, host_of
from tasks.crawl.warc_writing import VISITS_NAME, CaptureFolder

PAGES_SUFFIX = ".warc.gz"
ADVICE = {
    "private_address": "{0} is no public address; where it may be asked, name it in the source: "
    'allow_private: ["{0}"]',
    "failed_cannot_resolve_host": "{0} cannot be found; is the name right?",
    "failed_connection_refused": "{0} refuses connections; is the server up, and the port right?",
    "robots_unreachable": "the robots.txt of {0} cannot be had (no answer, or an error of the "
    "server), which forbids all pages",
    "robots_disallowed": "the robots.txt of {0} forbids our user_agent these pages",
}


def fetch_site(build: Build, capture: LiveCapture) -> None:
    """Crawls a live site; `dropped` says why the other URLs gave no page.

    Raises:
        ValueError: when neither the crawl nor the one before found a page, with the reasons.
    """
    folder = build.work / "capture"
    before = previous_capture(build, capture)
    files = None if before is None else files_of(build, before)

    def on_progress(progress: CrawlProgress) -> None:
        build.progress(progress.done, progress.done + progress.waiting, "pages")

    ended = crawl(capture, folder, on_progress, files).finished
    previous = load_previous(files.as_job()) if files else NOTHING
    taken = CaptureFolder(folder, capture.num_files, {"software": "crawl2chat"})
    today = dt.datetime.now(dt.UTC).date().isoformat()
    result = recapture(capture, taken, load_findings(folder), previous, today)
    count(build, result)
    build.counts.extra |= {"ended": ended, "chain": chain_of(build, capture)}
    if build.counts.kept == 0:
        seeds = ", ".join(capture.seeds)
        raise ValueError("; ".join([f"no page at {seeds}: {build.counts}", *advice(build.counts)]))
    if before is not None:
        build.counts.extra["before"] = before.recipe
        tell_changes(build, result)
    written = write_files(result, taken, previous, build.scratch)
    entries = {entry.name: entry for entry in before.files} if before else {}
    for name in sorted([*written.same, *(path.name for path in written.new)]):
        if name in written.same:
            build.add_stored(entries[name])
        else:
            build.add_file(name, build.scratch / name)
    visits = build.scratch / VISITS_NAME
    if write_visits(taken, visits):
        build.add_file(VISITS_NAME, visits)
    ledger = build.scratch / LEDGER_NAME
    rows, digest = save_ledger(result.pages.values(), ledger)
    build.add_file(LEDGER_NAME, ledger, rows=rows, digest=digest)


def advice(counts: Counts) -> Iterator[str]:
    """What may be done about the commonest causes of an empty capture, each with an address."""
    for reason, text in ADVICE.items():
        if counts.dropped.get(reason):
            yield text.format(endpoint_of(counts.examples[reason][0]))


def count(build: Build, result: Recapture) -> None:
    """Counts each URL once, kept or dropped for a reason; and each link that is one too many."""
    build.counts.merge(result.counts)
    build.counts.kept = sum(result.kept.values())
    build.counts.read = build.counts.kept + sum(build.counts.dropped.values())
    build.counts.extra["pages"] = dict(sorted(result.kept.items()))
    if result.not_reached:
        build.counts.extra["not_reached"] = dict(sorted(result.not_reached.items()))


def tell_changes(build: Build, result: Recapture) -> None:
    """A few words, in the log and `extra`, about what changed since the capture before."""
    kept = dict(sorted(result.kept.items()))
    changes = ", ".join(f"{number:,} {how}" for how, number in kept.items())
    if not kept.keys() & {"new", "changed", "unchanged"}:
        changes = "no page could be reached, all stay as they were"
    build.counts.extra["changes"] = changes
    build.log(f"pages: {changes}")


# ---- the capture before


def chain_of(build: Build, capture: LiveCapture) -> str:
    """The name that the captures of one source share, "" for a site that we serve ourselves.

    Other seeds, scopes or budgets are the same source; another first host, or name, is another.
    """
    return "" if capture.serve else f"{build.label}@{host_of(capture.seeds[0])}"


def previous_capture(build: Build, capture: LiveCapture) -> Manifest | None:
    """The newest other capture of the chain that is whole; a resumed one keeps to its choice."""
    chain, note = chain_of(build, capture), build.work / "before.json"
    if not chain:
        return None
    if note.exists():
        chosen = json.loads(note.read_text())
        return build.store.manifest_of(ArtifactRef(**chosen)) if chosen else None
    found = None
    for _, manifest in build.store.all_manifests(build.step):
        if manifest.counts.extra.get("chain") != chain:
            continue
        is_newer = found is None or manifest.created_at > found.created_at
        if is_newer and manifest.recipe != build.recipe and not build.store.missing(manifest):
            found = manifest
    note.write_text(json.dumps(found.ref.model_dump() if found else None))
    return found


def files_of(build: Build, before: Manifest) -> PreviousFiles:
    """The ledger and pages of a capture, as local files.

    Raises:
        StoreError: when it has no ledger.
    """
    paths: dict[str, Path] = {
        entry.name: build.store.blob_path(entry)
        for entry in before.files
        if entry.name != VISITS_NAME
    }
    if LEDGER_NAME not in paths:
        raise StoreError(f"the capture {before.recipe[:12]} of {build.label} has no ledger")
    return PreviousFiles(paths.pop(LEDGER_NAME), paths)
