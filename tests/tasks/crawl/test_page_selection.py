"""Single pages of a Common Crawl by domain, language and type, through either index."""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from warcio.archiveiterator import ArchiveIterator

from pipeline_config.common_crawl import CommonCrawlCapture
from pipeline_config.crawl import CrawlConfig
from storage.artifact import ArtifactRef, Counts
from storage.session import Session, session
from storage.store import Store
from storage.tables import read_table
from tasks.crawl import backoff, fetch_common_crawl, task
from tasks.crawl.backoff import DownloadError
from tests.conftest import NoConfig
from tests.tasks.crawl.mirror import Mirror, listing, says
from tests.tasks.crawl.small_crawl import CRAWL, NEXT_CRAWL, PAGES, Captured, add_crawl

PYTHON = {  # pages of python.org that are HTML, whole and found
    "https://docs.python.org/3/",
    "https://docs.python.org/3/library/json.html",
    "https://docs.python.org/fr/3/",
    "https://www.python.org/",
    "http://python.org:8080/port",
    "https://python.org/about",
}


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setattr(backoff, "pause_seconds", lambda *_: 0.0)
    found = Mirror()
    add_crawl(found, PAGES)
    yield found
    found.close()


@pytest.fixture
def direct(store: Store) -> Iterator[Session]:
    """A session with one worker, which imports the extractor once."""
    with session(
        store, flow="test", preset="test", config=NoConfig(), workers=1, through_prefect=False
    ) as current:
        yield current


def capture_of(base_url: str, crawls: Any = CRAWL, **selection: Any) -> CommonCrawlCapture:
    return CommonCrawlCapture(crawls=crawls, base_url=base_url, retries=1, select=selection)


def urls(current: Session, ref: ArtifactRef) -> list[str]:
    """The URLs of the captured records, as another program reads them."""
    found = []
    for entry in current.store.manifest_of(ref).files:
        if entry.name.endswith(".warc.gz"):
            content = io.BytesIO(current.store.blob_path(entry).read_bytes())
            for record in ArchiveIterator(content, check_digests="raise"):
                assert record.content_stream().read()
                found.append(record.rec_headers.get_header("WARC-Target-URI"))
    return found


def counts_of(current: Session, ref: ArtifactRef) -> Counts:
    return current.store.manifest_of(ref).counts


@pytest.mark.parametrize("index", ["cdx", "columnar"])
def test_both_indexes_give_a_domain_with_its_subdomains(
    mirror: Mirror, direct: Session, index: str
) -> None:
    ref = task.fetch(capture_of(mirror.url, domains=["python.org"], index=index))
    found = urls(direct, ref)
    assert sorted(found) == sorted(PYTHON)
    counts = counts_of(direct, ref)
    assert counts.kept == 6
    dropped = {"other_type": 1, "truncated": 1}
    if index == "cdx":  # the columnar index has a part of its own for those
        dropped |= {"status_404": 1, "robots_txt": 1}
    assert counts.dropped == dropped
    assert counts.read == counts.kept + sum(dropped.values())
    assert counts.extra["pages"] == {f"{CRAWL} python.org": 6}
    assert not any("notpython" in path for path in mirror.hits)


def test_the_same_bytes_come_through_either_index(mirror: Mirror, direct: Session) -> None:
    selected = {"domains": ["python.org", "docs.python.org"], "max_pages": 2}
    by_cdx = task.fetch(capture_of(mirror.url, **selected))
    mirror.hits.clear()
    by_table = task.fetch(capture_of(mirror.url, index="columnar", **selected))
    assert by_cdx.digest == by_table.digest
    assert not any("segments" in path for path in mirror.hits)  # the records are there already


def test_only_the_hosts_asked_for_are_taken(mirror: Mirror, direct: Session) -> None:
    ref = task.fetch(capture_of(mirror.url, domains=["www.python.org", "docs.python.org"]))
    assert sorted(urls(direct, ref)) == sorted(
        url for url in PYTHON if "docs." in url or "www." in url
    )


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        ({"languages": ["isl"]}, {"https://example.is/", "https://frettir.is/"}),
        ({"languages": ["fra"]}, {"https://docs.python.org/fr/3/"}),
        ({"mime_types": ["application/pdf"]}, {"https://docs.python.org/3.pdf"}),
        ({"domains": ["is"], "languages": ["isl"]}, {"https://example.is/", "https://frettir.is/"}),
    ],
)
def test_language_and_type_need_no_domain(
    mirror: Mirror, direct: Session, selection: dict[str, Any], found: set[str]
) -> None:
    ref = task.fetch(capture_of(mirror.url, index="columnar", **selection))
    assert set(urls(direct, ref)) == found


def test_a_share_of_the_columnar_index_is_a_part_of_it(mirror: Mirror, direct: Session) -> None:
    everything = task.fetch(capture_of(mirror.url, index="columnar"))
    some = task.fetch(capture_of(mirror.url, index="columnar", index_share=0.5))
    assert set(urls(direct, some)) < set(urls(direct, everything))
    assert counts_of(direct, some).read in (7, 8)  # one of two files
    assert counts_of(direct, everything).read == 15


def test_a_trial_without_a_domain_searches_one_file_of_the_index(
    mirror: Mirror, direct: Session
) -> None:
    source = {
        "kind": "common_crawl",
        "crawls": CRAWL,
        "base_url": mirror.url,
        "select": {"index": "columnar"},
    }
    config = CrawlConfig.model_validate({"sources": {"x": source}, "limit": 3})
    assert len(urls(direct, task.fetch(config.to_fetch("x")))) == 3
    assert len({path for path in mirror.hits if "cc-index/table" in path}) == 1
    assert records_asked(mirror) == 3


def test_row_groups_that_cannot_hold_the_domain_are_not_read(
    mirror: Mirror, direct: Session
) -> None:
    task.fetch(capture_of(mirror.url, index="columnar", domains=["a.com"]))
    parts = {path for path, span, _ in mirror.asked if "part-00001" in path and span}
    assert len(parts) == 1
    asked = [span for path, span, _ in mirror.asked if "subset=warc/part-00001" in path]
    assert len(asked) == 2  # its size and its footer


def test_a_larger_sample_begins_with_the_smaller_one(mirror: Mirror, direct: Session) -> None:
    samples = {}
    for most in (1, 3, 5, 0):
        ref = task.fetch(capture_of(mirror.url, domains=["python.org"], max_pages=most))
        samples[most] = urls(direct, ref)
        assert counts_of(direct, ref).dropped.get("over_max_pages", 0) == (6 - most if most else 0)
    assert [len(found) for found in samples.values()] == [1, 3, 5, 6]
    for smaller, larger in ((1, 3), (3, 5), (5, 0)):
        assert samples[larger][: len(samples[smaller])] == samples[smaller]


# ---- only what is new


def records_asked(mirror: Mirror) -> int:
    return sum(hits for path, hits in mirror.hits.items() if "/segments/" in path)


def test_one_more_domain_or_crawl_fetches_its_own_pages_only(
    mirror: Mirror, direct: Session
) -> None:
    task.fetch(capture_of(mirror.url, domains=["python.org"]))
    assert records_asked(mirror) == 6
    mirror.hits.clear()
    ref = task.fetch(capture_of(mirror.url, domains=["a.com", "python.org"]))
    assert records_asked(mirror) == 1
    assert set(urls(direct, ref)) == PYTHON | {"https://a.com/"}

    add_crawl(mirror, [Captured("https://docs.python.org/new"), *PAGES[1:]], NEXT_CRAWL)
    mirror.hits.clear()
    both = capture_of(mirror.url, [CRAWL, NEXT_CRAWL], domains=["a.com", "python.org"])
    ref = task.fetch(both)
    assert records_asked(mirror) == 7
    assert all(NEXT_CRAWL in path for path in mirror.hits)
    assert counts_of(direct, ref).extra["pages"] == {
        f"{CRAWL} a.com": 1,
        f"{CRAWL} python.org": 6,
        f"{NEXT_CRAWL} a.com": 1,
        f"{NEXT_CRAWL} python.org": 6,
    }


def test_a_larger_selection_keeps_its_whole_files(
    mirror: Mirror, direct: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_common_crawl, "PAGES_PER_FILE", 2)
    task.fetch(capture_of(mirror.url, domains=["python.org"], max_pages=4))
    mirror.hits.clear()
    ref = task.fetch(capture_of(mirror.url, domains=["python.org"]))
    assert records_asked(mirror) == 2
    assert set(urls(direct, ref)) == PYTHON
    names = [entry.name for entry in direct.store.manifest_of(ref).files]
    assert names == [f"{n:05d}.{kind}" for n in range(3) for kind in ("warc.gz", "origins.parquet")]


def test_a_failed_selection_goes_on_with_the_next_record(mirror: Mirror, direct: Session) -> None:
    path = "crawl-data/CC-MAIN-2024-10/segments/0/warc/CC-0.warc.gz"
    mirror.faults[path] = [says(404)]
    capture = capture_of(mirror.url, domains=["python.org"])
    with pytest.raises(DownloadError, match="HTTP 404"):
        task.fetch(capture)
    before = records_asked(mirror)
    assert before < 6
    ref = task.fetch(capture)
    assert records_asked(mirror) == 6 + 1
    assert set(urls(direct, ref)) == PYTHON


# ---- damage


def test_a_record_that_is_not_what_its_digest_says_is_dropped(
    mirror: Mirror, direct: Session
) -> None:
    path = "crawl-data/CC-MAIN-2024-10/segments/0/warc/CC-0.warc.gz"
    broken = bytearray(mirror.files[path])
    broken[300] ^= 1  # in the first record: https://docs.python.org/3/
    mirror.files[path] = bytes(broken)
    ref = task.fetch(capture_of(mirror.url, domains=["python.org"]))
    assert set(urls(direct, ref)) == PYTHON - {"https://docs.python.org/3/"}
    counts = counts_of(direct, ref)
    assert (counts.kept, counts.dropped["damaged_record"]) == (5, 1)


def test_a_record_damaged_on_its_way_comes_again(mirror: Mirror, direct: Session) -> None:
    path = "crawl-data/CC-MAIN-2024-10/segments/1/warc/CC-1.warc.gz"
    mirror.faults[path] = [lambda handler: mirror._send(handler, bytes(len(mirror.files[path])))]
    ref = task.fetch(capture_of(mirror.url, domains=["python.org"]))
    assert set(urls(direct, ref)) == PYTHON


def test_nothing_that_fits_is_an_error_with_the_funnel(mirror: Mirror, direct: Session) -> None:
    message = r"finds no page of CC-MAIN-2024-10 that .*: read 10, kept 0, dropped 10"
    with pytest.raises(ValueError, match=message):
        task.fetch(capture_of(mirror.url, domains=["python.org"], languages=["isl"]))
    with pytest.raises(ValueError, match="read 0, kept 0"):
        task.fetch(capture_of(mirror.url, domains=["nowhere.example"]))


def test_broken_lines_of_the_index_are_counted(mirror: Mirror, direct: Session) -> None:
    folder = "cc-index/collections/CC-MAIN-2024-10/indexes"
    place = b'"filename": "f", "offset": "-1", "length": "9"'
    lines = [
        b'org,zzz)/1 2024 {"url": "https://zzz.org/1", "status": "200"}',
        b"org,zzz)/2 2024 {broken",
        b"org,zzz)/3",
        b'org,zzz)/4 2024 {"url": "https://zzz.org/4", %s}' % place,
        b'org,zzz)/5 2024 ["no", "object"]',
        b'org,zzz)/6 2024 {"url": "https://zzz.org/\\ud83d", %s}' % place.replace(b"-1", b"1"),
        b'org,zzz)/7 2024 {"url": "https://zzz.org/7", %s}' % place.replace(b"-1", b"9" * 30),
    ]
    block = gzip.compress(b"\n".join(lines) + b"\n")
    at = len(mirror.files[f"{folder}/cdx-00001.gz"])
    mirror.files[f"{folder}/cdx-00001.gz"] += block
    line = f"org,zzz)/1 2024\tcdx-00001.gz\t{at}\t{len(block)}\t99\n"
    mirror.files[f"{folder}/cluster.idx"] += line.encode()
    ref = task.fetch(capture_of(mirror.url, domains=["zzz.org"]))
    assert urls(direct, ref) == ["https://zzz.org/"]
    assert counts_of(direct, ref).dropped == {"broken_index_line": 7}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cluster.idx", b"<html>\n", "has the line b'<html>'"),
        ("cluster.idx", b"a\t../../x\t0\t9\t1\n", "has the line"),
        ("cdx-00000.gz", b"no gzip at all" * 500, "byte 0: "),
    ],
)
def test_a_broken_index_is_an_error(
    mirror: Mirror, direct: Session, name: str, content: bytes, message: str
) -> None:
    mirror.files[f"cc-index/collections/CC-MAIN-2024-10/indexes/{name}"] = content
    with pytest.raises(DownloadError, match=message):
        task.fetch(capture_of(mirror.url, domains=["a.com"]))


def replace_column(mirror: Mirror, name: str, values: pa.Array) -> None:
    """Other values in the first part of the columnar index."""
    path = next(path for path in mirror.files if "subset=warc/part-00000" in path)
    table = pq.read_table(io.BytesIO(mirror.files[path]))
    at = table.column_names.index(name)
    column = pa.concat_arrays([values, table[name].combine_chunks()[len(values) :]])
    buffer = io.BytesIO()
    pq.write_table(table.set_column(at, name, column), buffer)
    mirror.files[path] = buffer.getvalue()


def test_a_page_without_a_place_is_counted(mirror: Mirror, direct: Session) -> None:
    replace_column(mirror, "warc_record_offset", pa.array([None], pa.int32()))
    ref = task.fetch(capture_of(mirror.url, index="columnar"))
    assert counts_of(direct, ref).dropped["broken_index_line"] == 1


def test_a_columnar_index_that_is_not_utf8_is_an_error(mirror: Mirror, direct: Session) -> None:
    odd = pa.array([b"http://caf\xe9/"], pa.binary()).view(pa.string())
    replace_column(mirror, "url", odd)
    with pytest.raises(DownloadError, match=r"part-00000.*parquet: .*utf-8"):
        task.fetch(capture_of(mirror.url, index="columnar"))


def test_a_broken_columnar_index_is_an_error(mirror: Mirror, direct: Session) -> None:
    for path in list(mirror.files):
        if "subset=warc/part" in path:
            mirror.files[path] = b"PAR1" + bytes(200) + b"PAR1"
    with pytest.raises(DownloadError, match=r"part-0000.*parquet: "):
        task.fetch(capture_of(mirror.url, index="columnar", languages=["isl"]))


def test_a_server_that_fails_within_a_table_is_named(mirror: Mirror, direct: Session) -> None:
    path = next(path for path in mirror.files if "subset=warc/part-00000" in path)
    mirror.faults[path] = [
        lambda handler: mirror._send(handler, mirror.files[path]),
        *[says(503)] * 9,
    ]
    with pytest.raises(DownloadError, match="parquet: HTTP 503, 2 times in a row"):
        task.fetch(capture_of(mirror.url, index="columnar", languages=["isl"]))


def test_a_crawl_without_languages_says_so(mirror: Mirror, direct: Session) -> None:
    for path in [path for path in mirror.files if "subset=warc/part" in path]:
        table = pq.read_table(io.BytesIO(mirror.files[path])).drop_columns("content_languages")
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        mirror.files[path] = buffer.getvalue()
    with pytest.raises(DownloadError, match="has no content_languages; languages are listed since"):
        task.fetch(capture_of(mirror.url, index="columnar", languages=["isl"]))
    ref = task.fetch(capture_of(mirror.url, index="columnar", domains=["a.com"]))
    assert urls(direct, ref) == ["https://a.com/"]


# ---- on to documents


def test_documents_of_selected_pages_say_where_their_records_are(
    mirror: Mirror, direct: Session, tmp_path: Path
) -> None:
    base_url = mirror.save(tmp_path / "copy")
    config = CrawlConfig.model_validate(
        {
            "sources": {
                "x": {
                    "kind": "common_crawl",
                    "crawls": CRAWL,
                    "base_url": base_url,
                    "select": {"domains": ["docs.python.org"]},
                }
            }
        }
    )
    capture = task.fetch(config.to_fetch("x"))
    documents = task.extract(capture, config.to_extract("x"))
    [entry] = direct.store.manifest_of(documents).files
    rows = read_table(direct.store.blob_path(entry)).to_pylist()
    assert len(rows) == 3
    for row in rows:
        content = mirror.files[row["warc_file"]][row["warc_offset"] :]
        record = next(iter(ArchiveIterator(io.BytesIO(content))))
        assert record.rec_headers.get_header("WARC-Target-URI") == row["url"]
    assert mirror.asked == []


def shards_extracted(current: Session) -> int:
    """How many WARC files were ever extracted in this store."""
    paths = current.store.list_files("shards/extract", deep=True)
    journals = [Path(current.store.full(path)).read_bytes() for path in paths]
    return sum(journal.count(b"\n") for journal in journals)


@pytest.mark.parametrize("select", [None, {"domains": ["python.org", "is"]}])
def test_the_next_crawl_is_all_that_is_extracted(
    mirror: Mirror, direct: Session, select: dict[str, Any] | None
) -> None:
    changed = [Captured(page.url + "?now", page.status, page.mime_type) for page in PAGES]
    add_crawl(mirror, changed, NEXT_CRAWL)
    for crawl in (CRAWL, NEXT_CRAWL):
        paths = [path for path in mirror.files if f"{crawl}/seg" in path and "/warc/" in path]
        mirror.files[f"crawl-data/{crawl}/warc.paths.gz"] = listing(paths)

    def documents(*crawls: str) -> ArtifactRef:
        source = {"kind": "common_crawl", "crawls": crawls, "base_url": mirror.url}
        source |= {"select": select} if select else {"num_files": 2}
        config = CrawlConfig.model_validate({"sources": {"x": source}})
        return task.extract(task.fetch(config.to_fetch("x")), config.to_extract("x"))

    first = documents(CRAWL)
    assert shards_extracted(direct) == 2
    mirror.hits.clear()
    both = documents(CRAWL, NEXT_CRAWL)
    assert shards_extracted(direct) == 4
    assert not any(CRAWL in path and "/segments/" in path for path in mirror.hits)
    mirror.hits.clear()
    documents(NEXT_CRAWL)
    assert shards_extracted(direct) == 4
    assert not any("/segments/" in path for path in mirror.hits)
    blobs = [entry.blob for entry in direct.store.manifest_of(first).files]
    assert [entry.blob for entry in direct.store.manifest_of(both).files][:2] == blobs
