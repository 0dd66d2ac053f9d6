"""The stage's steps over a real store: funnels, golden digests, caches, mistakes."""

import gzip
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline_config.crawl import CrawlConfig
from storage.artifact import ArtifactRef, Counts
from storage.build import Build
from storage.documents import DOCUMENT_SCHEMA, document_id
from storage.session import Session, session
from storage.steps import step
from storage.store import Store
from storage.tables import read_table
from tasks.crawl import inputs, task
from tasks.crawl.columns import ColumnError
from tests.conftest import NoConfig
from tests.tasks.crawl.sites import Record, Site, page, warc_bytes


@pytest.fixture
def direct(store: Store) -> Iterator[Session]:
    """A session with one worker, which imports the extractor once."""
    with steps_of(store, workers=1) as current:
        yield current


def steps_of(store: Store, workers: int) -> AbstractContextManager[Session]:
    return session(
        store, flow="test", preset="test", config=NoConfig(), workers=workers, through_prefect=False
    )


def ingest(config: CrawlConfig, name: str = "x") -> ArtifactRef:
    if config.is_captured(name):
        return task.extract(task.fetch(config.to_fetch(name)), config.to_extract(name))
    return task.read(config.to_read(name))


def crawl(source: dict[str, Any], **settings: Any) -> CrawlConfig:
    return CrawlConfig.model_validate({"sources": {"x": source}, **settings})


def rows(store: Store, ref: ArtifactRef) -> list[dict[str, Any]]:
    found = []
    for entry in store.manifest_of(ref).files:
        table = read_table(store.blob_path(entry))
        assert table.schema == DOCUMENT_SCHEMA
        ids = table.column("id").to_pylist()
        assert ids == sorted(ids)
        found += table.to_pylist()
    for row in found:
        assert row["id"] == document_id(row["source"], row["url"], row["text"])
        assert isinstance(json.loads(row["metadata"]), dict)
    return found


def counts(store: Store, ref: ArtifactRef) -> Counts:
    return store.manifest_of(ref).counts


# ---- pages


@step("fetch", version="given")
def given(build: Build, folder: str) -> None:
    """A capture that was made elsewhere."""
    for path in sorted(Path(folder).iterdir()):
        build.add_file(path.name, Path(shutil.copyfile(path, build.scratch / path.name)))


SITE = {"kind": "live", "serve": "pydoc", "seeds": ["http://a.org/"], "licence": "CC0-1.0"}
# Digests of logical rows: one that changes asks for a new version of its step.
EXTRACT_GOLDEN = "2eebaec803683c144b1a8c732575a1ebc495d1995ec42d9ee21e01860a022439"


READ_GOLDEN = {
    "text": "79893aa6ee89f3a001de040a40042a21961a00aa8d481d50dd924d27b95cc9da",
    "html": "363678282d5ab4592512f2bd90da6c51486f8b0bbd68ea44597538c2199c9f05",
    "jsonl": "303aa5c40cafc084fe199e4cf6cfbc3317101d03d6e660a345e127e8f9131377",
    "warc": "9fc42fc4cf49304ebf67fb488283539ec6122f68069ba3e0c1bb093baeaa278d",
}


@pytest.fixture
def captured(tmp_path: Path) -> Path:
    folder = tmp_path / "captured"
    folder.mkdir()
    html = (("Content-Type", "text/html; charset=utf-8"),)
    (folder / "00000.warc.gz").write_bytes(
        warc_bytes(
            [
                Record("http://a.org/one.html", page("Grüße").encode(), headers=html),
                Record("http://a.org/gone.html", b"", "404 Not Found"),
                Record("http://a.org/one.html", page("Grüße").encode(), headers=html),
                Record("http://a.org/empty.html", b"<html><body></body></html>", headers=html),
            ]
        )
        + b"\x1f\x8b\x08 a torn end"
    )
    (folder / "00001.warc.gz").write_bytes(
        warc_bytes([Record("http://a.org/two.html", page("second").encode(), headers=html)])
    )
    return folder


def test_extract_turns_a_capture_into_documents(direct: Session, captured: Path) -> None:
    ref = task.extract(given(str(captured)), crawl(SITE).to_extract("x"))
    one, two = sorted(rows(direct.store, ref), key=lambda row: row["url"])
    sentence = "This is the page called Grüße. It says a few plain things about Grüße."
    assert one == {
        "id": document_id("x", "http://a.org/one.html", one["text"]),
        "text": f"Grüße\n{' '.join([sentence] * 3)}",
        "url": "http://a.org/one.html",
        "source": "x",
        "first_seen": "2024-03-05",
        "language": "en",
        "warc_file": "00000.warc.gz",
        "warc_offset": 0,
        "licence": "CC0-1.0",
        "metadata": '{"module":"one","title":"Grüße"}',
    }
    assert (two["url"], two["warc_file"]) == ("http://a.org/two.html", "00001.warc.gz")
    found = counts(direct.store, ref)
    assert (found.read, found.kept) == (6, 2)
    assert found.dropped == {
        "status_404": 1,
        "repeated": 1,
        "empty_text": 1,
        "broken_record": 1,
    }
    assert ref.digest == EXTRACT_GOLDEN


def test_a_capture_without_a_page_fails_with_its_funnel(direct: Session, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    record = Record("http://a.org/", b"", "404 Not Found")
    (folder / "00000.warc.gz").write_bytes(warc_bytes([record]))
    with pytest.raises(ValueError, match=r"read 1, kept 0, dropped 1 \(status_404 1\)"):
        task.extract(given(str(folder)), crawl(SITE).to_extract("x"))


def test_the_documentation_site_is_crawled_once_and_extracted(direct: Session) -> None:
    source = SITE | {"seeds": ["http://pydoc.demo/"], "delay_seconds": 0, "num_files": 2}
    config = crawl(source, limit=12)
    ref = ingest(config)
    found = rows(direct.store, ref)
    assert 8 <= len(found) <= 12
    assert {row["url"].split("/")[2] for row in found} == {"pydoc.demo"}
    modules = {json.loads(row["metadata"]).get("module") for row in found}
    assert {"__future__", "_abc"} <= modules  # the first of the index
    fetched = next(entry for entry in direct.record.steps if entry.label == "fetch")
    assert fetched.counts is not None
    assert fetched.counts.kept == 12
    assert fetched.counts.extra == {"chain": "", "ended": "max_pages", "pages": {"new": 12}}

    assert ingest(crawl(source | {"delay_seconds": 3}, limit=12)) == ref
    assert [entry.status for entry in direct.record.steps] == ["cached", "cached"]


def test_common_crawl_files_keep_their_names_in_the_crawl(direct: Session, site: Site) -> None:
    origin = "crawl-data/CC-MAIN-2024-10/segments/1/wet/CC-0.warc.wet.gz"
    listing = gzip.compress(f"{origin}\nanother.gz\n".encode())
    site["/crawl-data/CC-MAIN-2024-10/wet.paths.gz"] = listing
    header = (("Content-Type", "text/plain"), ("WARC-Identified-Content-Language", "fra"))
    record = Record(
        "http://a.org/", "Un texte en français.".encode(), kind="conversion", extra=header
    )
    site[f"/{origin}"] = warc_bytes([record])
    config = crawl(
        {
            "kind": "common_crawl",
            "crawls": "CC-MAIN-2024-10",
            "files": "wet",
            "base_url": site.url("/"),
        }
    )
    [row] = rows(direct.store, ingest(config))
    assert (row["text"], row["language"]) == ("Un texte en français.", "fra")
    assert (row["warc_file"], row["warc_offset"]) == (origin, 0)
    assert set(site.hits.values()) == {1}


# ---- files


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_bytes("Grüße\r\n".encode())
    (folder / "deep" / "b.txt").write_text("the second text")
    (folder / "c.txt").write_bytes(b"\xff\xfe\xff")
    (folder / "d.txt").write_text(" \n")
    (folder / "a.html").write_text(page("first"))
    (folder / "b.html").write_text("<html></html>")
    lines = [{"body": f"text number {n}", "u": f"http://a.org/{n}"} for n in range(4)]
    for name, part in (("a.jsonl", lines[:3]), ("b.jsonl", [*lines[3:], {"body": ""}])):
        (folder / name).write_text("".join(json.dumps(line) + "\n" for line in part) + "{broken\n")
    (folder / "one.warc").write_bytes(
        warc_bytes([Record("http://a.org/w", page("third").encode())], "plain")
    )
    return folder


def test_each_kind_of_file_is_read(direct: Session, data: Path) -> None:
    columns = {"text": "body", "url": "u"}
    sources: dict[str, dict[str, Any]] = {
        "text": {"kind": "text", "paths": [str(data)], "licence": "MIT"},
        "html": {"kind": "html", "paths": [str(data / "*.html")], "base_url": "http://b.org/"},
        "jsonl": {"kind": "jsonl", "paths": [str(data)], "columns": columns},
        "warc": {"kind": "warc", "paths": [str(data)]},
    }
    config = CrawlConfig.model_validate({"sources": sources})
    refs = {name: ingest(config, name) for name in sources}
    read = {name: rows(direct.store, ref) for name, ref in refs.items()}
    said = {name: counts(direct.store, ref) for name, ref in refs.items()}

    assert {(row["url"], row["text"], row["licence"]) for row in read["text"]} == {
        ("a.txt", "Grüße", "MIT"),
        ("deep/b.txt", "the second text", "MIT"),
    }
    assert said["text"].dropped == {"not_utf8": 1, "empty_text": 1}
    [html] = read["html"]
    assert (html["url"], html["language"]) == ("http://b.org/a.html", "en")
    assert html["text"].startswith("first\nThis is the page called first.")
    assert said["html"].dropped == {"empty_text": 1}
    [html_address], [text_address] = (
        *said["html"].examples.values(),
        said["text"].examples["not_utf8"],
    )
    assert html_address.startswith("http://b.org/")
    assert text_address.endswith(".txt")
    assert {(row["url"], row["text"]) for row in read["jsonl"]} == {
        (f"http://a.org/{n}", f"text number {n}") for n in range(4)
    }
    assert [entry.name for entry in direct.store.manifest_of(refs["jsonl"]).files] == [
        "00000.parquet",
        "00001.parquet",
    ]
    assert said["jsonl"].dropped == {"broken_line": 2, "no_text": 1}
    [warc] = read["warc"]
    assert (warc["url"], warc["warc_file"], warc["warc_offset"]) == (
        "http://a.org/w",
        "one.warc",
        0,
    )
    assert {name: ref.digest for name, ref in refs.items()} == READ_GOLDEN


def test_two_workers_give_the_same_digest_as_one(
    direct: Session, data: Path, tmp_path: Path
) -> None:
    config = crawl({"kind": "jsonl", "paths": [str(data)], "columns": {"text": "body"}})
    one = ingest(config)
    with steps_of(Store(str(tmp_path / "other")), workers=2):
        assert ingest(config).digest == one.digest


def test_a_trial_run_takes_its_share_of_each_file(direct: Session, data: Path) -> None:
    source = {"kind": "jsonl", "paths": [str(data)], "columns": {"text": "body"}}
    ref = ingest(crawl(source, limit=3))
    texts = sorted(row["text"] for row in rows(direct.store, ref))
    assert texts == ["text number 0", "text number 1", "text number 3"]


@pytest.mark.parametrize("limit", [0, 2])
def test_a_local_data_set_is_read_with_and_without_a_limit(
    direct: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    data = tmp_path / "set"
    data.mkdir()
    lines = [{"body": text, "u": f"http://a.org/{n}"} for n, text in enumerate(["a", "", "b", "c"])]
    (data / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    columns = {"text": "body", "url": "u"}
    source = {"kind": "huggingface", "name": str(data), "columns": columns}
    ref = ingest(crawl(source, limit=limit))
    found = {(row["url"], row["text"]) for row in rows(direct.store, ref)}
    every = [("http://a.org/0", "a"), ("http://a.org/2", "b"), ("http://a.org/3", "c")]
    assert found == set(every[: limit or None])
    assert_funnel(direct.store, ref, {"no_text": 1})


def test_a_new_file_leaves_the_shards_of_the_others(direct: Session, data: Path) -> None:
    source = {"kind": "jsonl", "paths": [str(data)], "columns": {"text": "body"}}
    before = direct.store.manifest_of(ingest(crawl(source))).files
    (data / "a0.jsonl").write_text('{"body": "a new one"}\n')
    after = direct.store.manifest_of(ingest(crawl(source))).files
    assert [entry.blob for entry in after if entry.blob in {old.blob for old in before}] == [
        old.blob for old in before
    ]
    assert len(after) == 3


def test_a_wrong_column_names_itself_and_those_there_are(direct: Session, data: Path) -> None:
    with pytest.raises(ColumnError) as caught:
        ingest(crawl({"kind": "jsonl", "paths": [str(data)]}))
    assert str(caught.value) == (
        "a.jsonl and 1 more have no column 'text' (columns.text); they have body, u"
    )


def test_a_site_without_a_page_says_what_to_do(direct: Session, site: Site) -> None:
    with socket.socket() as shut:
        shut.bind(("127.0.0.1", 0))  # but nobody listens
        port = shut.getsockname()[1]
        source = {
            "kind": "live",
            "seeds": [site.url(), f"http://localhost:{port}/"],
            "allow_private": [f"localhost:{port}"],
            **{"contact": "me@example.org", "delay_seconds": 0, "retries": 0},
        }
        with pytest.raises(ValueError, match="no page at") as caught:
            ingest(crawl(source))
    private = f"127.0.0.1:{site.port}"
    assert str(caught.value) == (
        f"no page at {site.url()}, http://localhost:{port}/: read 2, kept 0, dropped 2 "
        "(failed_connection_refused 1, private_address 1); "
        f"{private} is no public address; where it may be asked, name it in the source: "
        f'allow_private: ["{private}"]; '
        f"localhost:{port} refuses connections; is the server up, and the port right?"
    )
    assert site.hits == {}


def test_pages_on_a_list_are_counted_and_the_place_of_the_list_is_in_no_key(
    direct: Session, captured: Path, tmp_path: Path
) -> None:
    capture = given(str(captured))

    def extracted(path: Path, content: str) -> ArtifactRef:
        path.write_text(content)
        rules = {"hard_words": ["one"], "files": {"urls": [str(path)]}}
        return task.extract(capture, crawl(SITE, url_filter=rules).to_extract("x"))

    ref = extracted(tmp_path / "list", "a.org/empty.html\n")
    assert [row["url"] for row in rows(direct.store, ref)] == ["http://a.org/two.html"]
    dropped = {"status_404": 1, "url_hard_word": 2, "url_listed": 1, "broken_record": 1}
    assert counts(direct.store, ref).dropped == dropped
    assert extracted(tmp_path / "list", "a.org/other.html\n") != ref
    shards = direct.store.list_files("shards/extract", deep=True)
    assert extracted(tmp_path / "moved", "a.org/empty.html\n").digest == ref.digest
    assert direct.store.list_files("shards/extract", deep=True) == shards


def test_a_source_may_be_extracted_and_filtered_its_own_way(direct: Session, data: Path) -> None:
    source = {"kind": "html", "paths": [str(data)], "base_url": "http://b.org/"}
    ours = {"extraction": {"engine": "resiliparse"}, "url_filter": {"urls": ["b.org/b.html"]}}
    ref = ingest(crawl(source | ours, url_filter={"min_soft_words": 1}))
    [row] = rows(direct.store, ref)
    sentence = "This is the page called first. It says a few plain things about first."
    assert row["text"].split("\n") == ["first", "", " ".join([sentence] * 3)]
    assert (row["language"], row["metadata"]) == ("en", '{"title":"first"}')
    assert counts(direct.store, ref).dropped == {"url_listed": 1}


def test_a_page_that_takes_too_long_costs_itself_only(direct: Session, tmp_path: Path) -> None:
    bodies = {
        "a": page("first").encode(),
        "b": b"<div>" * 100_000 + b"deep",
        "c": page("c").encode(),
    }
    for name, body in bodies.items():
        (tmp_path / f"{name}.html").write_bytes(body)
    extraction = {"engine": "resiliparse", "max_page_seconds": 4}
    ref = ingest(crawl({"kind": "html", "paths": [str(tmp_path)]}, extraction=extraction))
    assert {row["url"] for row in rows(direct.store, ref)} == {"a.html", "c.html"}
    assert counts(direct.store, ref).dropped == {"timeout": 1}


# ---- bad input: each costs itself only


def assert_funnel(store: Store, ref: ArtifactRef, dropped: dict[str, int]) -> None:
    """What was dropped, and that nothing else was lost."""
    found = counts(store, ref)
    assert found.dropped == dropped
    assert found.read == found.kept + sum(dropped.values())


def test_bad_warc_files_and_records_cost_themselves_only(direct: Session, tmp_path: Path) -> None:
    def good(name: str) -> Record:
        return Record(f"http://a.org/{name}", page(name).encode())

    odd = b"a \x00b \xed\xa0\x80 &#xD800; &#0; \xff".join([page("odd").encode()[:120]] * 2)
    untold = (("Content-Type", "text/html; charset=no-such"),)
    records = [
        good("one"),
        Record("http://[oops/x", page("bad").encode()),
        Record("http://exa\u2100mple.com/", page("bad").encode()),
        Record(None, page("nowhere").encode()),
        Record("http://a.org/nothing", b""),
        Record("http://a.org/deep", b"<div>" * 100_000 + b"deep"),
        Record("http://a.org/odd", odd.replace(b"plain", b"\xed\xb0\x80 plain\x00")),
        Record("http://a.org/unknown", page("Gr\u00fc\u00dfe").encode("latin-1"), headers=untold),
        good("two"),
    ]
    for name, content in {
        b"caf\xe9.warc.gz": warc_bytes(records),
        b"empty.warc": b"",
        b"noise.warc": bytes(range(256)) * 10,
        b"torn.warc.gz": warc_bytes([good("three"), good("four")])[:-50],
        b"whole.warc.gz": warc_bytes([good("five"), good("six")], "whole"),
    }.items():
        (tmp_path / os.fsdecode(name)).write_bytes(content)
    (tmp_path / "circle.warc").symlink_to(tmp_path / "circle.warc")
    ref = ingest(crawl({"kind": "warc", "paths": [str(tmp_path)]}))
    found = {row["url"].removeprefix("http://a.org/"): row for row in rows(direct.store, ref)}
    assert found.keys() == {"one", "odd", "unknown", "two", "three", "five", "six"}
    assert found["one"]["warc_file"] == "caf\ufffd.warc.gz"
    assert "\x00" not in found["odd"]["text"]
    dropped = {"bad_url": 2, "no_url": 1, "empty_text": 2, "empty_file": 1, "broken_file": 1}
    assert_funnel(direct.store, ref, dropped | {"broken_record": 2})
    examples = counts(direct.store, ref).examples
    nowhere = len(warc_bytes(records[:3]))
    assert examples["no_url"] == [f"caf?.warc.gz, from byte {nowhere}"]
    assert (examples["empty_file"], examples["broken_file"]) == (["empty.warc"], ["circle.warc"])
    assert set(examples["broken_record"]) == {
        "noise.warc, from byte 0",
        f"torn.warc.gz, from byte {len(warc_bytes([good('three')]))}",
    }


def test_bad_lines_and_tables_cost_themselves_only(direct: Session, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"text": "one", "date": "\\ud83d", "u": "http://[oops/"}\n'
        '{"text": "half \\ud83d", "u": "\\udcff\\u0000"}\n'
        "{broken\n"
        '{"text": "", "date": null}\n'
    )
    (tmp_path / "b.jsonl").write_bytes(b"")
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(b'{"text": "two"}\n')[:-4])
    (tmp_path / "d.jsonl").symlink_to(tmp_path / "d.jsonl")
    columns = {"url": "u", "first_seen": "date", "metadata": {"day": "date"}}
    source = {"kind": "jsonl", "paths": [str(tmp_path)], "columns": columns}
    ref = ingest(crawl(source, url_filter={"domains": ["b.org"]}))
    found = {row["text"]: row for row in rows(direct.store, ref)}
    assert found.keys() == {"one", "half \ufffd", "two"}
    assert (found["one"]["first_seen"], found["one"]["url"]) == ("\ufffd", "http://[oops/")
    dropped = {"broken_line": 1, "no_text": 1, "empty_file": 1, "broken_file": 2}
    assert_funnel(direct.store, ref, dropped)
    examples = counts(direct.store, ref).examples
    assert examples["broken_line"] == ["a.jsonl, line 3"]
    assert examples["empty_file"] == ["b.jsonl"]
    assert set(examples["broken_file"]) == {"c.jsonl.gz", "d.jsonl"}

    texts = pa.array([b"three", b"caf\xe9", b"four"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"body": ["x", "y"]}), tmp_path / "b.parquet")
    (tmp_path / "c.parquet").write_bytes(b"PAR1 and no more")
    ref = ingest(crawl({"kind": "parquet", "paths": [str(tmp_path)]}))
    assert {row["text"] for row in rows(direct.store, ref)} == {"three", "four"}
    assert_funnel(direct.store, ref, {"broken_row": 1, "missing_column": 2, "broken_file": 1})
    assert counts(direct.store, ref).examples == {
        "broken_row": ["a.parquet, row 1"],
        "missing_column": ["b.parquet"],
        "broken_file": ["c.parquet"],
    }


def test_bad_pages_and_texts_cost_themselves_only(direct: Session, tmp_path: Path) -> None:
    for name, content in {
        b"caf\xe9 [x": page("one").encode(),
        b"deep": b"<div>" * 100_000 + b"deep",
        b"empty": b"",
        b"marked": page("\u20ac").encode("utf-16"),
        b"noise": bytes(range(256)) * 100,
        b"odd": page("odd").encode().replace(b"plain", b"\x00 plain &#xD800; \xed\xa0\x80 \xff"),
    }.items():
        (tmp_path / os.fsdecode(name + b".html")).write_bytes(content)
        (tmp_path / os.fsdecode(name + b".txt")).write_bytes(content)
    (tmp_path / "circle.html").symlink_to(tmp_path / "circle.html")
    (tmp_path / "large.html").write_bytes(b"<p>" + b"x" * 600_000)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "circle").symlink_to(tmp_path)
    source = {"kind": "html", "paths": [str(tmp_path)], "base_url": "http://[oops/"}
    ref = ingest(crawl(source, extraction={"max_page_bytes": 600_000}))
    found = {row["url"].removeprefix("http://[oops/"): row for row in rows(direct.store, ref)}
    assert found.keys() == {"caf\ufffd [x.html", "marked.html", "odd.html"}
    assert found["marked.html"]["text"].startswith("\u20ac\nThis is the page called \u20ac.")
    assert not {"\x00", "\ud800"} & set(found["odd.html"]["text"])
    assert_funnel(direct.store, ref, {"broken_file": 1, "empty_text": 3, "too_large": 1})

    ref = ingest(crawl({"kind": "text", "paths": [str(tmp_path)]}))
    assert {row["url"] for row in rows(direct.store, ref)} == {"caf\ufffd [x.txt", "deep.txt"}
    assert_funnel(direct.store, ref, {"not_utf8": 3, "empty_text": 1})


def test_a_file_that_nobody_may_read_is_counted(
    direct: Session, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so the system is asked to refuse."""

    def digest(path: Path) -> str:
        if path.name in ("a.txt", "a.html", "a.jsonl"):
            raise PermissionError(13, "Permission denied", str(path))
        return real_digest(path)

    real_digest = inputs.file_digest
    monkeypatch.setattr(inputs, "file_digest", digest)
    for kind, more in (
        ("text", {"not_utf8": 1, "empty_text": 1}),
        ("jsonl", {"broken_line": 1, "no_text": 1}),
    ):
        columns = {"columns": {"text": "body"}} if kind == "jsonl" else {}
        ref = ingest(crawl({"kind": kind, "paths": [str(data)], **columns}))
        assert counts(direct.store, ref).kept == 1
        assert_funnel(direct.store, ref, more | {"broken_file": 1})
    with pytest.raises(ValueError, match=r"read 2, .* \(broken_file 1, empty_text 1\)"):
        ingest(crawl({"kind": "html", "paths": [str(data)]}))


def test_a_trial_reads_the_first_files_only(direct: Session, tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number:02d}.txt").write_text(f"text {number}" if number % 2 else "")
    ref = ingest(crawl({"kind": "text", "paths": [str(tmp_path)]}, limit=5))
    assert {row["url"] for row in rows(direct.store, ref)} == {
        f"{number:02d}.txt" for number in (1, 3, 5, 7, 9)
    }


def test_this_python_is_read(direct: Session) -> None:
    code = rows(direct.store, ingest(crawl({"kind": "stdlib", "licence": "PSF-2.0"}, limit=40)))
    assert len(code) == 40
    assert {row["licence"] for row in code} == {"PSF-2.0"}
    assert all(json.loads(row["metadata"])["module"] for row in code)
    readmes = rows(direct.store, ingest(crawl({"kind": "packages"}, limit=10)))
    assert len(readmes) == 10
    assert all(row["url"].startswith("https://pypi.org/project/") for row in readmes)
