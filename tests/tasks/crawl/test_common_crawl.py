"""The capture of a Common Crawl through its step: files, trials, reuse, damage, kills."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline_config.common_crawl import CommonCrawlCapture
from storage.artifact import ArtifactRef, Manifest
from storage.session import Session
from tasks.crawl import backoff, task
from tasks.crawl.backoff import DownloadError
from tasks.crawl.common_crawl import choose_files, list_paths
from tasks.crawl.remote import Remote
from tests.tasks.crawl.mirror import Mirror, breaks_off, listing, says
from tests.tasks.crawl.sites import Record, page, warc_bytes

GZIP_MEMBER = b"\x1f\x8b\x08"
CRAWL, NEXT_CRAWL = "CC-MAIN-2024-10", "CC-MAIN-2024-18"


def path_of(number: int, crawl: str = CRAWL) -> str:
    return f"crawl-data/{crawl}/segments/1/warc/CC-{number}.warc.gz"


def list_of(crawl: str = CRAWL, files: str = "warc") -> str:
    return f"crawl-data/{crawl}/{files}.paths.gz"


def content_of(number: int, crawl: str = CRAWL) -> bytes:
    records = [
        Record(f"http://{crawl}.org/{number}/{n}", page(f"{number}-{n}").encode()) for n in range(3)
    ]
    return warc_bytes(records)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setattr(backoff, "pause_seconds", lambda *_: 0.0)
    found = Mirror()
    for crawl in (CRAWL, NEXT_CRAWL):
        found.files[list_of(crawl)] = listing([path_of(n, crawl) for n in range(4)])
        for number in range(4):
            found.files[path_of(number, crawl)] = content_of(number, crawl)
    yield found
    found.close()


def capture_of(base_url: str, **changes: Any) -> CommonCrawlCapture:
    settings: dict[str, Any] = {"crawls": CRAWL, "base_url": base_url, "retries": 2}
    return CommonCrawlCapture(**{**settings, **changes})


def fetched(current: Session, ref: ArtifactRef) -> tuple[Manifest, list[bytes]]:
    manifest = current.store.manifest_of(ref)
    return manifest, [current.store.blob_path(entry).read_bytes() for entry in manifest.files]


def test_the_first_files_of_a_crawl_are_fetched_in_order(mirror: Mirror, direct: Session) -> None:
    manifest, contents = fetched(direct, task.fetch(capture_of(mirror.url, num_files=2)))
    assert contents == [content_of(0), content_of(1)]
    assert [entry.name for entry in manifest.files] == ["00000.warc.gz", "00001.warc.gz"]
    assert manifest.counts.extra == {
        "origins": {"00000.warc.gz": path_of(0), "00001.warc.gz": path_of(1)}
    }
    assert (manifest.counts.read, manifest.counts.kept) == (2, 2)
    assert mirror.hits == {list_of(): 1, path_of(0): 1, path_of(1): 1}


def test_more_files_and_the_next_crawl_fetch_their_own_only(
    mirror: Mirror, direct: Session
) -> None:
    task.fetch(capture_of(mirror.url, num_files=2))
    task.fetch(capture_of(mirror.url, num_files=3))
    mirror.hits.clear()
    both = capture_of(mirror.url, num_files=3, crawls=[CRAWL, NEXT_CRAWL])
    manifest, contents = fetched(direct, task.fetch(both))
    assert contents == [content_of(n, crawl) for crawl in both.crawls for n in range(3)]
    own = {path_of(n, NEXT_CRAWL): 1 for n in range(3)}
    assert mirror.hits == {list_of(): 1, list_of(NEXT_CRAWL): 1, **own}
    assert list(manifest.counts.extra["origins"].values())[3:] == sorted(own)

    mirror.hits.clear()
    only_new = capture_of(mirror.url, num_files=3, crawls=NEXT_CRAWL)
    manifest, contents = fetched(direct, task.fetch(only_new))
    assert contents == [content_of(n, NEXT_CRAWL) for n in range(3)]
    assert manifest.files[0].name == "00000.warc.gz"
    assert mirror.hits == {list_of(NEXT_CRAWL): 1}


def test_a_failed_capture_goes_on_where_it_ended(mirror: Mirror, direct: Session) -> None:
    capture = capture_of(mirror.url, num_files=3, connections=1, retries=0)
    mirror.faults[path_of(1)] = [breaks_off(content_of(1), 700)]
    with pytest.raises(DownloadError, match=r"CC-1.warc.gz: .*, 1 times in a row"):
        task.fetch(capture)
    assert mirror.hits[path_of(2)] == 0
    mirror.bytes_sent = 0
    _, contents = fetched(direct, task.fetch(capture))
    assert contents == [content_of(n) for n in range(3)]
    rest = len(content_of(1)) - 700 + len(content_of(2))
    assert mirror.bytes_sent == rest + len(mirror.files[list_of()])
    assert mirror.hits[path_of(0)] == 1
    assert list((direct.store.side / "work").iterdir()) == []


def test_a_blob_that_vanished_is_fetched_again(mirror: Mirror, direct: Session) -> None:
    capture = capture_of(mirror.url, num_files=2)
    manifest, _ = fetched(direct, task.fetch(capture))
    path = direct.store.blob_path(manifest.files[1])
    path.chmod(0o644)
    path.unlink()
    _, contents = fetched(direct, task.fetch(capture))
    assert contents == [content_of(0), content_of(1)]
    assert (mirror.hits[path_of(0)], mirror.hits[path_of(1)]) == (1, 2)


# ---- damage


def test_a_file_damaged_on_its_way_is_fetched_again(mirror: Mirror, direct: Session) -> None:
    broken = bytearray(content_of(0))
    broken[500] ^= 1
    mirror.faults[path_of(0)] = [says(200, bytes(broken))]
    manifest, contents = fetched(direct, task.fetch(capture_of(mirror.url)))
    assert contents == [content_of(0)]
    assert "damaged" not in manifest.counts.extra


def test_a_file_damaged_on_the_server_is_kept_and_told(mirror: Mirror, direct: Session) -> None:
    broken = bytearray(content_of(0))
    broken[500] ^= 1
    mirror.files[path_of(0)] = bytes(broken)
    manifest, contents = fetched(direct, task.fetch(capture_of(mirror.url)))
    assert contents == [bytes(broken)]
    [(path, damage)] = manifest.counts.extra["damaged"].items()
    assert path == path_of(0)
    second = content_of(0).index(GZIP_MEMBER, 3)
    assert damage.startswith(f"byte {second}: ")
    assert mirror.hits[path_of(0)] == 2


def test_records_with_wrong_digests_are_told_and_not_fetched_twice(
    mirror: Mirror, direct: Session
) -> None:
    record = gzip.decompress(warc_bytes([Record("http://a.org/", page("a").encode())]))
    wrong = gzip.compress(record.replace(b"plain things", b"other things"))
    mirror.files[path_of(0)] = content_of(0) + wrong
    manifest, contents = fetched(direct, task.fetch(capture_of(mirror.url)))
    assert contents == [content_of(0) + wrong]
    assert manifest.counts.extra["wrong_digests"] == {path_of(0): 1}
    assert mirror.hits[path_of(0)] == 1


def test_a_file_that_is_damaged_differently_each_time_is_an_error(
    mirror: Mirror, direct: Session
) -> None:
    for position in (500, 600):
        broken = bytearray(content_of(0))
        broken[position] ^= 1
        mirror.faults[path_of(0)].append(says(200, bytes(broken)))
    with pytest.raises(DownloadError, match=r"CC-0.warc.gz came damaged twice"):
        task.fetch(capture_of(mirror.url))


# ---- which crawls


def crawl_list(*ids: str) -> bytes:
    """As Common Crawl has it: the newest first, each with more than its id."""
    return json.dumps([{"id": id, "name": f"{id} Index"} for id in ids]).encode()


def all_since(mirror: Mirror, since: str = CRAWL, **changes: Any) -> CommonCrawlCapture:
    return capture_of(
        mirror.url, crawls=(), since=since, crawl_list=f"{mirror.url}list.json", **changes
    )


def test_new_crawls_are_found_when_captured_again(mirror: Mirror, direct: Session) -> None:
    mirror.files["list.json"] = crawl_list(CRAWL, "CC-MAIN-2023-50", "CC-MAIN-2012")
    manifest, contents = fetched(direct, task.fetch(all_since(mirror, as_of="2024-03")))
    assert contents == [content_of(0)]

    mirror.files["list.json"] = crawl_list(NEXT_CRAWL, CRAWL, "CC-MAIN-2023-50", "CC-MAIN-2012")
    assert task.fetch(all_since(mirror, as_of="2024-03")) == manifest.ref  # a capture stays
    mirror.hits.clear()
    manifest, contents = fetched(direct, task.fetch(all_since(mirror, as_of="2024-05")))
    assert contents == [content_of(0), content_of(0, NEXT_CRAWL)]
    assert list(manifest.counts.extra["origins"].values()) == [path_of(0), path_of(0, NEXT_CRAWL)]
    assert mirror.hits[path_of(0)] == 0


def test_a_trial_needs_no_list_of_crawls(mirror: Mirror, direct: Session) -> None:
    _, contents = fetched(direct, task.fetch(all_since(mirror).trial(10)))
    assert contents == [content_of(0)]
    assert mirror.hits["list.json"] == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>", "list.json: no JSON list of crawls"),
        (b'{"id": "CC-MAIN-2024-10"}', "no JSON list of crawls"),
        (b"\xff\xfe", "no JSON list of crawls"),
        (b'[1, null, {"id": 5}, {"name": ""}]', "names 0 crawls, but no CC-MAIN-2024-10$"),
        (crawl_list(NEXT_CRAWL), "1 crawls, but no CC-MAIN-2024-10; the newest is CC-MAIN-2024-18"),
    ],
)
def test_a_list_without_the_first_crawl_is_an_error(
    mirror: Mirror, direct: Session, content: bytes, message: str
) -> None:
    mirror.files["list.json"] = content
    with pytest.raises(DownloadError, match=message):
        task.fetch(all_since(mirror))


@pytest.mark.parametrize("named", [{}, {"crawls": CRAWL, "since": CRAWL}])
def test_crawls_or_since_but_not_both(named: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="name crawls, or since"):
        CommonCrawlCapture(**named)


# ---- which files


def test_a_share_of_a_crawl_grows_by_adding(mirror: Mirror) -> None:
    with Remote(mirror.url) as remote:
        chosen = {
            share: choose_files(remote, capture_of(mirror.url, share=share), CRAWL)
            for share in (0.01, 0.26, 0.5, 1)
        }
    paths = [path_of(n) for n in range(4)]
    assert chosen == {0.01: paths[:1], 0.26: paths[:2], 0.5: paths[:2], 1: paths}


def test_more_files_than_the_crawl_has_is_an_error(mirror: Mirror, direct: Session) -> None:
    with pytest.raises(ValueError, match="num_files is 5, but CC-MAIN-2024-10 has 4 warc files"):
        task.fetch(capture_of(mirror.url, num_files=5))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>", "no gzip file"),
        (listing(["a", "b"])[:-3], "not a whole list of paths"),
        (listing(["../../etc/passwd"]), "is no path below"),
        (listing(["http://evil.example/x.gz"]), "is no path below"),
    ],
)
def test_a_broken_list_is_an_error(
    mirror: Mirror, direct: Session, content: bytes, message: str
) -> None:
    mirror.files[list_of()] = content
    with pytest.raises(DownloadError, match=message):
        task.fetch(capture_of(mirror.url))


def test_a_file_that_is_listed_twice_is_one_file(mirror: Mirror, direct: Session) -> None:
    mirror.files[list_of()] = listing([path_of(0), path_of(0), path_of(1)])
    _, contents = fetched(direct, task.fetch(capture_of(mirror.url, num_files=2)))
    assert contents == [content_of(0), content_of(1)]
    assert (mirror.hits[path_of(0)], mirror.hits[path_of(1)]) == (1, 1)


def test_an_unknown_crawl_is_named(mirror: Mirror, direct: Session) -> None:
    with pytest.raises(DownloadError, match="HTTP 404; is CC-MAIN-2099-10 one of its crawls"):
        task.fetch(capture_of(mirror.url, crawls="CC-MAIN-2099-10"))


def test_a_list_that_never_ends_is_refused(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.crawl.common_crawl.MAX_LIST_TEXT_BYTES", 10_000)
    mirror.files[list_of()] = listing(["a" * 1_000_000])
    with (
        Remote(mirror.url) as remote,
        pytest.raises(DownloadError, match="not a whole list of paths"),
    ):
        list_paths(remote, CRAWL, "warc")


def test_a_trial_takes_whole_records_of_one_file(mirror: Mirror, direct: Session) -> None:
    second = content_of(0).index(GZIP_MEMBER, 3)
    third = content_of(0).index(GZIP_MEMBER, second + 3)
    some = capture_of(mirror.url, first_bytes=third - 1)
    manifest, [beginning] = fetched(direct, task.fetch(some))
    assert beginning == content_of(0)[:second]
    assert manifest.counts.extra.keys() == {"origins"}
    assert mirror.bytes_sent == third - 1 + len(mirror.files[list_of()])


def test_a_local_copy_gives_the_same_bytes(mirror: Mirror, direct: Session, tmp_path: Path) -> None:
    from_server = task.fetch(capture_of(mirror.url, num_files=3))
    mirror.hits.clear()
    from_copy = task.fetch(capture_of(mirror.save(tmp_path / "copy"), num_files=3))
    assert from_copy.digest == from_server.digest
    assert mirror.hits == {}


def test_patience_is_no_part_of_the_key(mirror: Mirror) -> None:
    patient = capture_of(mirror.url, retries=9, connections=1, timeout_seconds=9)
    assert patient.model_dump() == capture_of(mirror.url).model_dump()
    assert patient != capture_of(mirror.url)
