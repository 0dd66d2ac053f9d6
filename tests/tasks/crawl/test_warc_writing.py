import gzip
from pathlib import Path

import pytest
from fastwarc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator

from tasks.crawl.warc_writing import CaptureFolder, Exchange, exchange_spans

INFO = {"software": "a test"}


def exchange(url: str, body: bytes = b"<p>hello</p>", truncated: str = "") -> Exchange:
    return Exchange(
        url=url,
        request_headers=[("Host", "a.org"), ("User-Agent", "tester")],
        status_line="HTTP/1.1 200 OK",
        headers=[("Content-Type", "text/html"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")],
        body=body,
        ip_address="192.0.2.7",
        truncated=truncated,
    )


def test_warcio_and_fastwarc_read_what_was_written(tmp_path: Path) -> None:
    folder = CaptureFolder(tmp_path, 1, INFO)
    folder.append(exchange("http://a.org/x?y=1"))
    folder.append(exchange("http://a.org/", b"", "length"))
    path = tmp_path / "00000.warc.gz"
    with path.open("rb") as file:
        found = []
        for record in ArchiveIterator(file, check_digests="raise"):
            body = record.content_stream().read()
            found.append((record.rec_type, record.rec_headers.get_header("WARC-Target-URI"), body))
            if record.rec_type == "response":
                assert record.rec_headers.get_header("WARC-IP-Address") == "192.0.2.7"
                assert [v for k, v in record.http_headers.headers if k == "Set-Cookie"] == [
                    "a=1",
                    "b=2",
                ]
            if record.rec_type == "request":
                assert record.http_headers.get_header("User-Agent") == "tester"
    assert found[0][0] == "warcinfo"
    assert b"software: a test" in found[0][2]
    assert found[1:] == [
        ("response", "http://a.org/x?y=1", b"<p>hello</p>"),
        ("request", "http://a.org/x?y=1", b""),
        ("response", "http://a.org/", b""),
        ("request", "http://a.org/", b""),
    ]
    with path.open("rb") as file:
        fast = [(str(r.record_type).split(".")[-1], r.stream_pos) for r in FastIterator(file)]
    assert [kind for kind, _ in fast] == [kind for kind, _, _ in found]
    assert [(span.url, span.start, span.end) for span in folder.spans.values()] == [
        ("http://a.org/x?y=1", fast[1][1], fast[3][1]),
        ("http://a.org/", fast[3][1], path.stat().st_size),
    ]


def test_a_page_is_in_the_same_file_of_every_capture(tmp_path: Path) -> None:
    urls = [f"http://a.org/{number}" for number in range(40)]
    for name, order in (("one", urls), ("two", urls[::-1])):
        (tmp_path / name).mkdir()
        folder = CaptureFolder(tmp_path / name, 4, INFO)
        for url in order:
            folder.append(exchange(url))
    shares = {
        name: [
            {span.url for span in exchange_spans(path)}
            for path in sorted((tmp_path / name).iterdir())
        ]
        for name in ("one", "two")
    }
    assert shares["one"] == shares["two"]
    assert [len(share) > 0 for share in shares["one"]] == [True] * 4
    assert set().union(*shares["one"]) == set(urls)


def test_what_was_kept_is_read_back(tmp_path: Path) -> None:
    CaptureFolder(tmp_path, 2, INFO).append(exchange("http://a.org/x", b"<p>\xff</p>", "length"))
    folder = CaptureFolder(tmp_path, 2, INFO)
    stored = folder.read("http://a.org/x")
    assert stored is not None
    assert (stored.status, stored.body, stored.truncated) == (200, b"<p>\xff</p>", "length")
    assert stored.headers.count(("Set-Cookie", "a=1")) == 1
    assert folder.read("http://a.org/y") is None


@pytest.mark.parametrize("lost", [1, 9, 500])
def test_a_torn_end_is_cut_off_and_the_capture_goes_on(tmp_path: Path, lost: int) -> None:
    folder = CaptureFolder(tmp_path, 1, INFO)
    for number in range(3):
        folder.append(exchange(f"http://a.org/{number}", bytes(range(256)) * 4))
    path = tmp_path / "00000.warc.gz"
    path.write_bytes(path.read_bytes()[:-lost])

    folder = CaptureFolder(tmp_path, 1, INFO)
    assert "http://a.org/1" in folder.spans
    # The request comes last: a small loss tears it alone, and the response is still there.
    assert ("http://a.org/2" in folder.spans) == (lost < 300)
    folder.append(exchange("http://a.org/new"))
    gzip.decompress(path.read_bytes())  # every member is whole
    with path.open("rb") as file:
        urls = [r.headers.get("WARC-Target-URI") for r in FastIterator(file)]
    assert urls[-1] == "http://a.org/new"
    assert CaptureFolder(tmp_path, 1, INFO).spans == folder.spans


def test_a_file_of_nothing_but_a_torn_record_is_removed(tmp_path: Path) -> None:
    (tmp_path / "00000.warc.gz").write_bytes(b"\x1f\x8b\x08\x00 torn")
    folder = CaptureFolder(tmp_path, 1, INFO)
    assert folder.spans == {}
    assert not (tmp_path / "00000.warc.gz").exists()
