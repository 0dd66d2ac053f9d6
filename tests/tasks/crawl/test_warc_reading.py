"""WARC files made by warcio, whole and damaged, read as pages."""

import gzip
import hashlib
import zlib
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tasks.crawl import warc_reading
from tasks.crawl.warc_reading import CapturedPage, read_pages
from tests.tasks.crawl.sites import Record, warc_bytes, warc_file

HTML = (("Content-Type", "text/html"),)


def read(path: Path, max_bytes: int = 100_000) -> tuple[list[CapturedPage], Counter[str]]:
    dropped: Counter[str] = Counter()
    pages = list(read_pages(path, max_bytes, lambda reason, *_: dropped.update([reason])))
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


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.sampled_from(["per record", "whole", "plain"]),
    place=st.floats(0, 1, exclude_max=True),
    noise=st.binary(min_size=1, max_size=40),
    is_cut=st.booleans(),
)
def test_any_damage_ends_and_spares_what_it_does_not_touch(
    tmp_path: Path, form: str, place: float, noise: bytes, is_cut: bool
) -> None:
    assume(b"WARC/1." not in noise)  # at its beginning a file would be taken for a plain one
    path = warc_file(tmp_path, numbered(6), form)
    content = path.read_bytes()
    at = int(place * len(content))
    path.write_bytes(content[:at] + noise + (b"" if is_cut else content[at + len(noise) :]))
    read_now = {page.url: page.body for page in read(path)[0]}
    ends = [len(warc_bytes(numbered(number + 1), form)) for number in range(6)]
    for number, record in enumerate(numbered(6)):
        begin = ends[number - 1] if number else 0
        is_behind = begin >= at + len(noise) and not is_cut
        is_spared = ends[number] <= at or is_behind
        if is_spared and form != "whole":
            assert read_now[str(record.url)] == record.body


def declaring(record: Record, length: int) -> bytes:
    """A record whose length is 2,9 and two more digits, said to be another."""
    content = warc_bytes([record], "plain")
    start = content.index(b"Content-Length: ")
    end = content.index(b"\r\n", start)
    return content[:start] + b"Content-Length: %d" % length + content[end:]


def packed(records: list[bytes], form: str) -> bytes:
    if form == "per record":
        return b"".join(map(gzip.compress, records))
    if form == "zstd":
        return b"".join(pa.Codec("zstd").compress(record, asbytes=True) for record in records)
    content = b"".join(records)
    return gzip.compress(content) if form == "whole" else content


@pytest.mark.parametrize("form", ["per record", "whole", "plain", "zstd"])
@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        (20, "not_html"),  # not even the HTTP headers are within
        (99, "broken_record"),
        (2_999, "broken_record"),
        (9_300, "broken_record"),
        (200_000, "too_large"),
    ],
)
def test_a_wrong_length_costs_its_record_only(
    tmp_path: Path, form: str, declared: int, reason: str
) -> None:
    path = tmp_path / "test.warc"
    records = [warc_bytes([record], "plain") for record in numbered(4)]
    records[1] = declaring(numbered(2)[1], declared)
    path.write_bytes(packed(records, form))
    pages, dropped = read(path)
    assert [page.body for page in pages] == [numbered(4)[number].body for number in (0, 2, 3)]
    assert dropped == {reason: 1}


@pytest.mark.parametrize("form", ["per record", "whole"])
def test_what_is_dropped_is_told_by_its_place(tmp_path: Path, form: str) -> None:
    records = [warc_bytes([record], "plain") for record in numbered(3)]
    records[1:1] = [at("http://[oops/"), declaring(Record("http://a.org/x", b"<p>" * 99), 99)]
    path = tmp_path / "test.warc"
    path.write_bytes(packed(records, form))
    told: list[tuple[str, str, int]] = []
    assert len(list(read_pages(path, 100_000, lambda *what: told.append(what)))) == 3
    starts = [len(packed(records[:n], form)) if form == "per record" else -1 for n in (1, 2)]
    assert told == [("bad_url", "http://[oops/", starts[0]), ("broken_record", "", starts[1])]


GOOD_HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
HEAD = (
    b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.org/bad\r\n"
    b"Content-Type: application/http; msgtype=response\r\n"
)


def at(url: str, head: bytes = HEAD) -> bytes:
    """A whole record of a page at another address."""
    head = head.replace(b"http://a.org/bad", url.encode())
    return head + b"Content-Length: %d\r\n\r\n" % len(GOOD_HTTP) + GOOD_HTTP + b"\r\n\r\n"


WRONG: dict[str, tuple[bytes, str]] = {
    "is at an open bracket": (at("http://[oops/x"), "bad_url"),
    "is at what is no IPv6 address": (at("http://[foo]/"), "bad_url"),
    "is at a host that becomes two": (at("http://exa\u2100mple.com/"), "bad_url"),
    "is text at an open bracket": (
        at("http://[oops/x", HEAD.replace(b"response", b"conversion", 1)),
        "bad_url",
    ),
    "has no address": (at("http://a.org/", HEAD.replace(b"-URI", b"-X")), "no_url"),
    "declares 1 GB": (HEAD + b"Content-Length: 1073741824\r\n\r\n" + GOOD_HTTP, "too_large"),
    "declares 5 KB": (HEAD + b"Content-Length: 5000\r\n\r\n" + GOOD_HTTP, "broken_record"),
    "declares 1e23 bytes": (HEAD + b"Content-Length: 1" + b"0" * 23 + b"\r\n\r\n", "broken_record"),
    "declares less than nothing": (HEAD + b"Content-Length: -5\r\n\r\n<p>", "broken_record"),
    "declares no number": (HEAD + b"Content-Length: many\r\n\r\n<p>", "broken_record"),
    "declares nothing": (HEAD + b"\r\n" + GOOD_HTTP + b"<p>text", "broken_record"),
    "is a request that swallows": (
        HEAD.replace(b"response", b"request") + b"Content-Length: 90000\r\n\r\n" + GOOD_HTTP,
        "broken_record",
    ),
    "has no HTTP": (HEAD + b"Content-Length: 4\r\n\r\n<p>x\r\n\r\n", "broken_record"),
    "holds 0 bytes": (HEAD + b"Content-Length: 0\r\n\r\n\r\n\r\n", "broken_record"),
    "has an endless header": (
        HEAD + b"X: " + b"a" * 5_000_000 + b"\r\nContent-Length: 4\r\n\r\n<p>x\r\n\r\n",
        "broken_record",
    ),
    "has an endless HTTP header": (
        HEAD + b"Content-Length: 90000\r\n\r\nHTTP/1.1 200 OK\r\nX: " + b"a" * 89_980,
        "broken_record",
    ),
    "is of the future": (HEAD.replace(b"1.0", b"9.9") + b"\r\n", "broken_record"),
    "is noise": (hashlib.sha512(b"noise").digest() * 100, "broken_record"),
    "is nothing but zeros": (b"\0" * 10_000, "broken_record"),
}


@pytest.mark.parametrize("form", ["per record", "whole", "plain"])
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_record_is_counted_and_the_rest_goes_on(
    tmp_path: Path, form: str, what: str
) -> None:
    wrong, reason = WRONG[what]
    records = numbered(4)
    inner = "per record" if form == "per record" else "plain"
    middle = gzip.compress(wrong) if form == "per record" else wrong
    content = warc_bytes(records[:2], inner) + middle + warc_bytes(records[2:], inner)
    path = tmp_path / "test.warc.gz"
    path.write_bytes(gzip.compress(content) if form == "whole" else content)
    pages, dropped = read(path)
    assert numbers(pages) == [0, 1, 2, 3]
    assert dropped == {reason: 1}


def test_a_page_may_have_no_bytes_and_no_media_type_of_the_record(tmp_path: Path) -> None:
    length = b"Content-Length: %d\r\n\r\n" % len(GOOD_HTTP)
    head = HEAD.replace(b"Content-Type: application/http; msgtype=response\r\n", b"")
    path = tmp_path / "test.warc"
    path.write_bytes(head + length + GOOD_HTTP + b"\r\n\r\n" + warc_bytes(numbered(1), "plain"))
    pages, dropped = read(path)
    assert [(page.url[-4:], page.body[:3]) for page in pages] == [("/bad", b""), ("rg/0", b"<p>")]
    assert dropped == {}


@pytest.mark.parametrize("place", [0.3, 0.9])
def test_damage_in_a_whole_stream_costs_what_is_behind_it(tmp_path: Path, place: float) -> None:
    path = warc_file(tmp_path, numbered(8) * 20, "whole")
    content = bytearray(path.read_bytes())
    at = int(len(content) * place)
    content[at : at + 8] = b"\xff" * 8
    path.write_bytes(content)
    pages, dropped = read(path)
    assert len(pages) < 160
    assert dropped == {"broken_record": 1}


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_bomb_of_many_records_is_unpacked_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_cut: bool
) -> None:
    three = len(warc_bytes(numbered(3), "plain"))
    monkeypatch.setattr(warc_reading, "MAX_UNPACKED_BYTES", three + 100 * is_cut)
    path = warc_file(tmp_path, numbered(5), "whole")
    pages, dropped = read(path)
    assert numbers(pages) == [0, 1, 2]
    assert dropped == {"too_large": 1}
    monkeypatch.setattr(warc_reading, "MAX_UNPACKED_BYTES", len(warc_bytes(numbered(5), "plain")))
    pages, dropped = read(path)
    assert (numbers(pages), dropped) == ([0, 1, 2, 3, 4], {})


@pytest.mark.parametrize("begin", [b"WARC/1.", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"])
def test_a_file_of_nothing_but_beginnings_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    def iterator(*args: object, **settings: object) -> object:
        begun.append(args)
        return real_iterator(*args, **settings)

    begun: list[object] = []
    real_iterator = warc_reading.ArchiveIterator
    monkeypatch.setattr(warc_reading, "ArchiveIterator", iterator)
    monkeypatch.setattr(warc_reading, "MAX_BEGINNINGS", 50)
    path = tmp_path / "test.warc"
    path.write_bytes(begin * 1_000)
    assert read(path) == ([], {"broken_record": 1})
    assert len(begun) == 50


def test_records_in_zstd_frames_have_their_offsets(tmp_path: Path) -> None:
    frames = [
        pa.Codec("zstd").compress(warc_bytes([record], "plain"), asbytes=True)
        for record in numbered(4)
    ]
    starts = [sum(map(len, frames[:number])) for number in range(4)]
    path = tmp_path / "test.warc.zst"
    path.write_bytes(b"".join(frames))
    pages, dropped = read(path)
    assert [page.offset for page in pages] == starts
    frames[1] = frames[1][:40] + b"\xff" * 20 + frames[1][60:]
    path.write_bytes(b"".join(frames))
    pages, dropped = read(path)
    assert numbers(pages) == [0, 2, 3]
    assert dropped == {"broken_record": 1}


def test_what_is_no_warc_at_all_is_one_broken_record(tmp_path: Path) -> None:
    path = tmp_path / "test.warc"
    for content in (b"<html>" * 100, b"\x1f\x8b\x08" * 50, gzip.compress(b"")):
        path.write_bytes(content)
        assert read(path) == ([], {"broken_record": 1})
    path.write_bytes(b"")
    assert read(path) == ([], {"empty_file": 1})


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
