"""Reading and downloading from a server that is not always well, and from a local copy."""

import contextlib
import datetime as dt
import itertools
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tasks.crawl import backoff
from tasks.crawl.answer_limit import AnswerLimit
from tasks.crawl.backoff import (
    DownloadError,
    SpeedGate,
    StoppedError,
    TryAgainError,
    pause_seconds,
    retry_after_seconds,
)
from tasks.crawl.remote import Remote
from tests.tasks.crawl.mirror import Fault, Mirror, breaks_off, etag, says

CONTENT = bytes(range(256)) * 40
PATH = "crawl-data/file.gz"


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    found = Mirror()
    found.files[PATH] = CONTENT
    yield found
    found.close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, float]]:
    """Instead of waiting, notes failures in a row and what the server asked for."""
    told: list[tuple[int, float]] = []

    def pause(url: str, failures: int, retry_after: float = 0.0) -> float:
        told.append((failures, retry_after))
        return 0.0

    monkeypatch.setattr(backoff, "pause_seconds", pause)
    return told


@pytest.fixture
def remote(mirror: Mirror, pauses: list[tuple[int, float]]) -> Iterator[Remote]:
    with Remote(mirror.url, timeout_seconds=5, retries=2) as found:
        yield found


def nothing(*_: int) -> None:
    pass


def test_ranges_are_read_exactly(mirror: Mirror, remote: Remote) -> None:
    assert remote.size(PATH) == len(CONTENT)
    assert remote.read(PATH, 5, 300) == CONTENT[5:305]
    assert remote.read_all(PATH, len(CONTENT)) == CONTENT
    assert mirror.bytes_sent == 1 + 300 + len(CONTENT)
    with pytest.raises(DownloadError, match=r"10239 bytes$"):
        remote.read_all(PATH, len(CONTENT) - 1)


def test_a_server_without_ranges_is_no_index(mirror: Mirror, remote: Remote) -> None:
    mirror.ranges = False
    for read in (lambda: remote.size(PATH), lambda: remote.read(PATH, 5, 300)):
        with pytest.raises(DownloadError, match=r"no byte ranges.*file:///"):
            read()


def test_errors_of_the_moment_are_waited_out(
    mirror: Mirror, remote: Remote, pauses: list[tuple[int, float]], tmp_path: Path
) -> None:
    mirror.faults[PATH] = [says(503, Retry_After="7"), says(403)]
    remote.download(PATH, tmp_path / "file", nothing)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert pauses == [(1, 7.0), (2, 0.0)]


def test_a_download_that_keeps_failing_names_its_url_and_reason(
    mirror: Mirror, remote: Remote, tmp_path: Path
) -> None:
    mirror.faults[PATH] = [says(503)] * 3
    with pytest.raises(DownloadError, match=r"file.gz: HTTP 503, 3 times in a row"):
        remote.download(PATH, tmp_path / "file", nothing)
    with pytest.raises(DownloadError, match=r"nothing.gz: HTTP 404$"):
        remote.download("nothing.gz", tmp_path / "file", nothing)
    mirror.faults["loop"] = [says(302, Location="/loop")] * 30
    with pytest.raises(DownloadError, match="redirects"):
        remote.download("loop", tmp_path / "file", nothing)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_connection_goes_on_where_it_broke(
    mirror: Mirror, remote: Remote, tmp_path: Path
) -> None:
    mirror.faults[PATH] = [breaks_off(CONTENT, 1_000)]
    told: list[tuple[int, int]] = []
    remote.download(PATH, tmp_path / "file", lambda done, total: told.append((done, total)))
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert mirror.asked == [(PATH, "", ""), (PATH, "bytes=1000-", etag(CONTENT))]
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_that_changed_meanwhile_is_fetched_anew(
    mirror: Mirror, remote: Remote, tmp_path: Path
) -> None:
    mirror.faults[PATH] = [breaks_off(CONTENT, 1_000)]
    mirror.files[PATH] = b"something else" * 1_000
    remote.download(PATH, tmp_path / "file", nothing)
    assert (tmp_path / "file").read_bytes() == b"something else" * 1_000


@pytest.mark.parametrize("have", [1_000, len(CONTENT)])
def test_a_killed_download_asks_for_the_rest_only(
    mirror: Mirror, remote: Remote, tmp_path: Path, have: int
) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT[:have])
    remote.download(PATH, tmp_path / "file", nothing)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert mirror.asked == [(PATH, f"bytes={have}-", "")]
    assert mirror.bytes_sent == len(CONTENT) - have


def test_what_is_no_beginning_of_the_file_is_thrown_away(
    mirror: Mirror, remote: Remote, tmp_path: Path
) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT + b"more")
    remote.download(PATH, tmp_path / "file", nothing)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_server_that_ignores_ranges_sends_all_again(
    mirror: Mirror, remote: Remote, tmp_path: Path
) -> None:
    mirror.ranges = False
    (tmp_path / "file.part").write_bytes(b"an old beginning")
    remote.download(PATH, tmp_path / "file", nothing)
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("ranges", [True, False])
def test_the_beginning_of_a_file_is_enough(
    mirror: Mirror, remote: Remote, tmp_path: Path, ranges: bool
) -> None:
    mirror.ranges = ranges
    remote.download(PATH, tmp_path / "some", nothing, first_bytes=3_000)
    assert (tmp_path / "some").read_bytes() == CONTENT[:3_000]
    remote.download(PATH, tmp_path / "all", nothing, first_bytes=1_000_000)
    assert (tmp_path / "all").read_bytes() == CONTENT
    if ranges:
        assert mirror.bytes_sent == 3_000 + len(CONTENT)


def test_a_local_copy_is_read_through_a_file_url(mirror: Mirror, tmp_path: Path) -> None:
    with Remote(mirror.save(tmp_path / "a copy")) as remote:
        assert remote.size(PATH) == len(CONTENT)
        assert remote.read(PATH, 5, 300) == CONTENT[5:305]
        assert remote.read_all(PATH, len(CONTENT)) == CONTENT
        remote.download(PATH, tmp_path / "file", nothing, first_bytes=700)
        assert (tmp_path / "file").read_bytes() == CONTENT[:700]
        with pytest.raises(DownloadError, match="No such file"):
            remote.download("nothing.gz", tmp_path / "file", nothing)
        with pytest.raises(DownloadError, match="is the copy whole"):
            remote.read(PATH, len(CONTENT) - 1, 2)
    assert mirror.asked == []


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "a/../b", "..", "http://b.org/x", "file:///x", "//b.org/x", "a\\b"]
)
def test_lists_lead_nowhere_else(remote: Remote, path: str) -> None:
    with pytest.raises(DownloadError, match="is no path below"):
        remote.read_all(path, 10)


def test_a_stopped_remote_ends_every_wait(mirror: Mirror) -> None:
    mirror.faults[PATH] = [says(503, Retry_After="500")]
    with Remote(mirror.url) as remote:
        errors: list[BaseException] = []

        def run() -> None:
            try:
                remote.read(PATH, 0, 1)
            except StoppedError as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        remote.stop()
        thread.join(timeout=20)
        assert not thread.is_alive()
        assert len(errors) == 1


# ---- waiting


def test_pauses_double_up_to_a_minute_with_up_to_half_more() -> None:
    for failures, least in [(1, 0.5), (2, 1), (3, 2), (7, 32), (8, 60), (1_000, 60)]:
        pauses = {pause_seconds(f"http://a/{n}", failures) for n in range(50)}
        assert least <= min(pauses) < max(pauses) <= least * 1.5
        assert len(pauses) == 50
    assert pause_seconds("http://a/", 1) == pause_seconds("http://a/", 1)
    assert 30 <= pause_seconds("http://a/", 1, 30) <= 45
    assert pause_seconds("http://a/", 1, 1e9) <= 900


def test_retry_after_is_seconds_or_a_date() -> None:
    now = dt.datetime(1999, 12, 31, 23, 58, 59, tzinfo=dt.UTC)
    # the date is RFC 9110's own example
    for header, seconds in [
        ("120", 120),
        (" 5 ", 5),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 60),
        ("Fri, 31 Dec 1999 23:00:00 GMT", 0),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("²", 0),
    ]:
        assert retry_after_seconds(header, now) == seconds, header


def test_a_byte_a_second_is_too_slow() -> None:
    now = 0.0
    gate = SpeedGate(60.0, lambda: now)
    for _ in range(59):
        now += 1
        gate.passed(1)
    now += 1
    with pytest.raises(TryAgainError, match="60 bytes in 60 seconds"):
        gate.passed(1)
    gate = SpeedGate(60.0, lambda: now)
    for _ in range(300):
        now += 1
        gate.passed(1_000)


def test_a_server_that_drips_is_given_up(
    mirror: Mirror, remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look at the clock finds it 50 s later, so 10 KB seem to take minutes."""
    times = itertools.count(0, 50.0)
    monkeypatch.setattr(
        "tasks.crawl.remote.SpeedGate", lambda seconds: SpeedGate(seconds, lambda: next(times))
    )
    with pytest.raises(DownloadError, match=r"bytes in \d+ seconds, 3 times in a row"):
        remote.download(PATH, tmp_path / "file", nothing)
    with pytest.raises(DownloadError, match=r"bytes in \d+ seconds, 3 times in a row"):
        remote.read(PATH, 0, 100)
    assert mirror.hits[PATH] == 6


def drips(num_bytes: int) -> Fault:
    """A fault: so many bytes of headers, one after the other, before a good answer."""

    def fault(handler: BaseHTTPRequestHandler) -> None:
        head = b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-0/9\r\nContent-Length: 1\r\nX: "
        handler.wfile.write(head)
        with contextlib.suppress(OSError):  # who asked has had enough
            for _ in range(num_bytes):
                handler.wfile.write(b"a")
                time.sleep(0.001)
            handler.wfile.write(b"\r\n\r\nx")

    return fault


def test_a_server_that_drips_its_headers_is_given_up(
    mirror: Mirror, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look at the clock finds it a second later, and there is one for each piece."""
    times = itertools.count(0, 1.0)
    limit = AnswerLimit(10, lambda: next(times))
    monkeypatch.setattr(remote, "_limit", limit)
    mirror.faults[PATH] = [drips(5_000)] * 3
    with pytest.raises(DownloadError, match="no whole answer in 10 seconds, 3 times in a row"):
        remote.size(PATH)
    monkeypatch.setattr(limit, "seconds", 300)
    mirror.faults[PATH] = [drips(100), drips(100), drips(100), drips(100)]
    assert [remote.size(PATH) for _ in range(4)] == [9] * 4  # the limit is that of one answer
