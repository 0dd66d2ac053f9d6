"""WARC files made by warcio, whole and damaged, read as pages."""

import gzip
import hashlib
import zlib
from collections import Counter
from pathlib import Path

import pytest

from tasks.crawl.warc_reading import CapturedPage, read_pages
from tests.tasks.crawl.sites import Record, warc_bytes, warc_file

HTML = (("Content-Type", "text/html"),)


def read(path: Path, max_bytes: int = 100_000) -> tuple[list[CapturedPage], Counter[str]]:
    dropped: Counter[str] = Counter()
    pages = list(read_pages(path, max_bytes, lambda reason: dropped.update([reason])))
    return pages, dropped


def numbered(count: int) -> list[Record]:
    """Pages that hardly compress, so that damage stays within one."""
    noise = [hashlib.sha512(bytes([n])).hexdigest() * 2 for n in range(count)]
    return [
        Record(f"http://a.org/{n}", f"<p>{n}</p>{noise[n]}".encode() + b"." * 2_700)
        for n in range(count)
    ]


def numbers(pages: list[CapturedPage]) -> list[int]:
    return [int(page.url.rpartition("/")[2]) for page in pages]


@pytest.mark.parametrize("form", ["per record", "whole", "plain"])
def test_all_forms_of_a_file_give_the_same_pages(tmp_path: Path, form: str) -> None:
    records = numbered(4)
    path = warc_file(tmp_path, records, form)
    pages, dropped = read(path)
    assert [(page.url, page.body) for page in pages] == [(r.url, r.body) for r in records]
    assert {page.date for page in pages} == {"2024-03-05"}
    assert dropped == {}
    if form == "whole":
        assert [page.offset for page in pages[1:]] == [-1, -1, -1]
    else:
        content = path.read_bytes()
        for page in pages:  # a reader that starts at the offset finds the record
            rest = content[page.offset :]
            record = zlib.decompressobj(31).decompress(rest) if form == "per record" else rest
            assert record.startswith(b"WARC/1.0\r\n")
            assert page.url.encode() in record[:400]


def test_records_that_are_no_pages_are_counted_by_reason(tmp_path: Path) -> None:
    gzipped = gzip.compress(b"<p>gzip</p>")
    chunked = (
        b"5\r\n" + gzipped[:5] + b"\r\n%x\r\n" % len(gzipped[5:]) + gzipped[5:] + b"\r\n0\r\n\r\n"
    )
    records = [
        Record("http://a.org/ok", b"<p>ok</p>"),
        Record("http://a.org/gone", b"", "404 Not Found"),
        Record("http://a.org/moved", b"", "301 Moved", (("Location", "/x"),)),
        Record(
            "http://a.org/robots.txt", b"User-agent: *", headers=(("Content-Type", "text/plain"),)
        ),
        Record("http://a.org/pic", b"\x89PNG", headers=(("Content-Type", "image/png"),)),
        Record(None, b"<p>where?</p>"),
        Record("http://a.org/cut", b"<p>cut", extra=(("WARC-Truncated", "length"),)),
        Record("http://a.org/long", b"<" + b"y" * 200_000),
        Record(
            "http://a.org/chunked",
            chunked,
            headers=(*HTML, ("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")),
        ),
        Record(
            "http://a.org/joined",  # a tool has joined the chunks and unzipped, but says otherwise
            b"<p>joined</p>",
            headers=(*HTML, ("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")),
        ),
        Record(
            "http://a.org/bomb",
            gzip.compress(b"<" + b"z" * 10_000_000),
            headers=(*HTML, ("Content-Encoding", "gzip")),
        ),
        Record("http://a.org/odd", b"?", headers=(*HTML, ("Content-Encoding", "rot13"))),
        Record("http://a.org/bare", b" <p>no type</p>", headers=()),
        Record("http://a.org/bare.bin", b"no type", headers=()),
        Record("http://a.org/last", b"<p>last</p>"),
    ]
    pages, dropped = read(warc_file(tmp_path, records))
    assert {page.url.rpartition("/")[2]: page.body for page in pages} == {
        "ok": b"<p>ok</p>",
        "chunked": b"<p>gzip</p>",
        "joined": b"<p>joined</p>",
        "bare": b" <p>no type</p>",
        "last": b"<p>last</p>",
    }
    assert dropped == {
        "status_404": 1,
        "status_301": 1,
        "robots_txt": 1,
        "not_html": 2,
        "no_url": 1,
        "truncated": 1,
        "too_large": 2,
        "broken_encoding": 1,
    }


def test_a_torn_last_record_is_counted_and_the_others_are_read(tmp_path: Path) -> None:
    for form in ("per record", "whole", "plain"):
        path = warc_file(tmp_path, numbered(5), form)
        path.write_bytes(path.read_bytes()[:-120])
        pages, dropped = read(path)
        assert numbers(pages) == [0, 1, 2, 3], form
        assert dropped == {"broken_record": 1}, form


@pytest.mark.parametrize("place", [0, 12, 60])
def test_damage_costs_its_record_only(tmp_path: Path, place: int) -> None:
    begin = len(warc_bytes(numbered(2)))
    path = warc_file(tmp_path, numbered(5))
    content = bytearray(path.read_bytes())
    content[begin + place : begin + place + 30] = b"\xff" * 30
    path.write_bytes(content)
    pages, dropped = read(path)
    assert numbers(pages) == [0, 1, 3, 4]
    assert dropped == {"broken_record": 1}


def test_a_wrong_length_costs_its_record_only(tmp_path: Path) -> None:
    content = warc_bytes(numbered(4), "plain")
    first = len(warc_bytes(numbered(1), "plain"))
    for wrong in (b"Content-Length: 13", b"Content-Length: 93"):  # far too short, far too long
        path = tmp_path / "test.warc"
        at = content.index(b"Content-Length: 3", first)
        path.write_bytes(content[:at] + wrong[:-1] + content[at + 16 :])
        pages, dropped = read(path)
        assert numbers(pages)[0] == 0
        assert numbers(pages)[-1] == 3
        assert dropped["broken_record"] >= 1 or dropped["too_large"] >= 1


def test_what_is_no_warc_at_all_is_one_broken_record(tmp_path: Path) -> None:
    path = tmp_path / "test.warc"
    for content, dropped in ((b"", 0), (b"<html>" * 100, 1), (b"\x1f\x8b\x08" * 50, 1)):
        path.write_bytes(content)
        assert read(path) == ([], {"broken_record": dropped} if dropped else {})


def test_a_wet_record_is_text_with_its_language(tmp_path: Path) -> None:
    record = Record(
        "http://a.org/1",
        "Grüße".encode(),
        kind="conversion",
        extra=(
            ("Content-Type", "text/plain"),
            ("WARC-Identified-Content-Language", "deu,eng"),
        ),
    )
    pages, dropped = read(warc_file(tmp_path, [record]))
    assert dropped == {}
    assert (pages[0].body.decode(), pages[0].is_text, pages[0].language) == ("Grüße", True, "deu")
