"""A site that changes is captured month by month: only what saw other bytes runs again."""

import re
from pathlib import Path
from typing import Any

import pytest
from small_run import note

from flows.refresh_corpus import refresh_corpus
from pipeline_config.pipeline import PipelineConfig
from storage.artifact import Counts, Manifest
from storage.session import Silent, session
from storage.store import Store
from storage.tables import read_table
from tasks.crawl.warc_writing import bucket_of
from tests.tasks.crawl.sites import Answer, Site

NUM_PAGES, NUM_FILES = 16, 12
SHARD_STEPS = ("extract/web", "score/web", "decide/web", "edit/web", "sign/web")


class Log(Silent):
    """Keeps what steps say."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}

    def log(self, label: str, message: str) -> None:
        self.lines[label] = self.lines.get(label, "") + message + "\n"


class Month:
    """One run of the flow."""

    def __init__(self, store: Store, site: Site, as_of: str, **settings: Any) -> None:
        web = {
            "kind": "live",
            "seeds": [site.url()],
            "allow_private": [f"127.0.0.1:{site.port}"],
            "contact": "me@example.org",
            "delay_seconds": 0,
            "retries": 0,
            "num_files": NUM_FILES,
            **settings,
        }
        config = PipelineConfig.model_validate(
            {
                "crawl": {"sources": {"web": web}, "as_of": as_of},
                "quality": {"sources": {"web": {"gopher_quality": {"min_words": 60}}}},
            }
        )
        log = Log()
        site.hits.clear()
        site.not_modified.clear()
        with session(
            store,
            flow="test",
            preset="test",
            config=config,
            workers=1,
            reporter=log,
            through_prefect=False,
        ) as current:
            refresh_corpus(config)
        self.store = store
        self.hits, self.not_modified = dict(site.hits), dict(site.not_modified)
        self.status = {step.label: step.status for step in current.record.steps}
        self.manifests = {k: store.manifest_of(ref) for k, ref in current.handles.items()}
        self.lines = log.lines

    def counts(self, label: str) -> Counts:
        return self.manifests[label].counts

    def shards_run(self, label: str) -> int:
        """How many shards of a step were computed, by what it says."""
        total = len(documents_of(self.manifests["extract/web"]))
        found = re.search(r"(\d+) of (\d+) shards were finished", self.lines.get(label, ""))
        if found:
            assert int(found[2]) == total
        return total - int(found[1]) if found else total

    def rows(self) -> dict[str, dict[str, Any]]:
        """The extracted documents by path."""
        rows = [
            row
            for entry in documents_of(self.manifests["extract/web"])
            for row in read_table(self.store.blob_path(entry)).to_pylist()
        ]
        return {
            row["url"].partition(":")[2].partition(":")[2].partition("/")[2]: row for row in rows
        }


def documents_of(manifest: Manifest) -> list[Any]:
    return [entry for entry in manifest.files if entry.name.endswith(".parquet")]


def html(text: str, *links: str, head: str = "") -> bytes:
    anchors = "".join(f"<a href='{link}'>{link}</a> " for link in links)
    body = text.replace("\n", "</p><p>")
    return f"<html><head>{head}</head><body><p>{body}</p>{anchors}</body></html>".encode()


def answer(body: bytes, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(body, headers={"Content-Type": "text/html", **names})


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Month]:
    site = Site()
    store = Store(str(tmp_path_factory.mktemp("monthly") / "store"))
    paths = [f"/p{number:02d}" for number in range(NUM_PAGES)]
    site["/"] = html(note(99), *paths)
    for number, path in enumerate(paths):
        said = {"ETag": f'"{number}"'} if number % 2 else {"Last-Modified": f"date {number}"}
        site[path] = answer(html(note(number)), **said)
    found = {1: Month(store, site, "1")}

    site["/p01"] = answer(html(note(201), "/p16"), ETag='"new"')
    site["/p16"] = answer(html(note(16)), ETag='"16"')
    del site.answers["/p02"]
    site["/p03"] = answer(html(note(3)), X_Robots_Tag="noai")
    site["/p04"] = Answer(status=301, headers={"Location": "/p05"})
    site["/p06"] = Answer(b"sorry", 500)
    site["/p07"] = answer(html(note(7), head="<script>token = 4711</script>"), ETag='"7b"')
    found[2] = Month(store, site, "2")

    found[3] = Month(store, site, "3")
    site.close()
    found[4] = Month(store, site, "4")
    found[5] = Month(store, site, "2")
    return found


def test_the_first_month_takes_all(months: dict[int, Month]) -> None:
    first = months[1]
    assert first.counts("fetch/web").extra["pages"] == {"new": NUM_PAGES + 1}
    assert set(first.rows()) == {"", *(f"p{number:02d}" for number in range(NUM_PAGES))}


def test_the_second_month_counts_what_changed(months: dict[int, Month]) -> None:
    counts = months[2].counts("fetch/web")
    assert counts.extra["pages"] == {
        "new": 1,  # p16
        "changed": 1,  # p01
        "missing": 1,  # p02
        "carried": 1,  # p06
        "unchanged": NUM_PAGES + 1 - 5,
    }
    assert counts.dropped == {"opted_out_noai": 1, "moved": 1}
    assert counts.extra["not_reached"] == {"status_500": 1}
    assert counts.read == counts.kept + 2 == NUM_PAGES + 2
    # Asked whether they changed: all but the home page, which names no validator.
    assert sum(months[2].not_modified.values()) == NUM_PAGES - 6
    assert all(number == 1 for number in months[2].hits.values())


def test_the_second_month_runs_only_what_saw_other_bytes(months: dict[int, Month]) -> None:
    second = months[2]
    urls = {row["url"]: path for path, row in {**months[1].rows(), **second.rows()}.items()}
    buckets = {path: bucket_of(url, NUM_FILES) for url, path in urls.items()}
    touched = {buckets[path] for path in ("p01", "p16", "p03", "p04")}
    touched &= {buckets[path] for path in second.rows()}
    assert len(touched) < len(documents_of(second.manifests["extract/web"]))
    for label in SHARD_STEPS:
        assert second.shards_run(label) == len(touched), label


def test_an_unchanged_page_keeps_its_row(months: dict[int, Month]) -> None:
    before, after = months[1].rows(), months[2].rows()
    same = set(before) - {"p01", "p03", "p04"}
    moved = {"warc_offset"}  # within a file that was written anew
    for path in same:
        assert {k: v for k, v in after[path].items() if k not in moved} == {
            k: v for k, v in before[path].items() if k not in moved
        }
    assert after["p01"]["id"] != before["p01"]["id"]


def test_a_page_that_is_not_found_twice_is_gone(months: dict[int, Month]) -> None:
    counts = months[3].counts("fetch/web")
    assert counts.dropped == {"gone": 1, "opted_out_noai": 1}  # p03 is linked, and asked again
    assert counts.extra["pages"] == {"carried": 1, "unchanged": NUM_PAGES - 2}
    assert "p02" in months[2].rows()
    assert "p02" not in months[3].rows()


def test_a_site_that_cannot_be_reached_changes_nothing(months: dict[int, Month]) -> None:
    third, fourth = months[3], months[4]
    assert fourth.counts("fetch/web").kept == third.counts("fetch/web").kept
    assert "no page could be reached" in fourth.lines["fetch/web"]
    assert fourth.counts("fetch/web").extra["changes"].startswith("no page could be reached")
    assert fourth.shards_run("extract/web") == 0
    assert fourth.manifests["extract/web"].digest == third.manifests["extract/web"].digest
    assert {label for label, status in fourth.status.items() if status == "executed"} == {
        "fetch/web",
        "extract/web",
    }


def test_an_earlier_state_of_the_site_is_still_there(months: dict[int, Month]) -> None:
    assert set(months[5].status.values()) == {"cached"}
    assert months[5].hits == {}
    assert months[5].manifests["assemble"] == months[2].manifests["assemble"]


def test_the_files_of_a_month_are_read_by_other_tools(
    months: dict[int, Month], tmp_path: Path
) -> None:
    from fastwarc import ArchiveIterator as FastIterator
    from warcio.archiveiterator import ArchiveIterator

    store = months[3].store
    for entry in months[3].manifests["fetch/web"].files:
        if not entry.name.endswith(".warc.gz"):
            continue
        kinds = []
        with store.blob_path(entry).open("rb") as file:
            for record in ArchiveIterator(file, check_digests="raise"):
                record.content_stream().read()
                kinds.append(record.rec_type)
        with store.blob_path(entry).open("rb") as file:
            found = [str(record.record_type).split(".")[-1] for record in FastIterator(file)]
        assert found == kinds
        assert kinds == ["warcinfo", *["response", "request"] * (len(kinds) // 2)]
