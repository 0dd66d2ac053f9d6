"""Downloads from a server on loopback that plays Common Crawl, reliably or not."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from pipeline_config.common_crawl import CommonCrawlCapture
from tasks.crawl import common_crawl
from tasks.crawl.common_crawl import DownloadError, download, download_all
from tests.tasks.crawl.sites import Answer, Site

PATHS = [f"crawl-data/CC-MAIN-2024-10/segments/1/warc/CC-{number}.warc.gz" for number in range(3)]
CONTENT = bytes(range(256)) * 40


def capture_of(base_url: str, **changes: Any) -> CommonCrawlCapture:
    settings: dict[str, Any] = {"crawl": "CC-MAIN-2024-10", "base_url": base_url, "retries": 2}
    return CommonCrawlCapture(**{**settings, **changes})


@pytest.fixture
def mirror(site: Site) -> Site:
    listing = gzip.compress("\n".join(PATHS).encode() + b"\n")
    site["/crawl-data/CC-MAIN-2024-10/warc.paths.gz"] = listing
    for number, path in enumerate(PATHS):
        site[f"/{path}"] = CONTENT + bytes([number])
    return site


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common_crawl, "_pause", lambda failures: 0.0)


def nothing(*_: int) -> None:
    pass


def test_the_first_files_of_a_crawl_are_downloaded_in_order(mirror: Site, tmp_path: Path) -> None:
    capture = capture_of(mirror.url("/"), num_files=2)
    told: list[tuple[int, ...]] = []
    found = list(download_all(capture, tmp_path, lambda *figures: told.append(figures)))
    assert [path for path, _ in found] == PATHS[:2]
    assert [file.read_bytes() for _, file in found] == [CONTENT + b"\x00", CONTENT + b"\x01"]
    assert told[-1] == (1, 2, len(CONTENT) + 1, len(CONTENT) + 1)
    assert mirror.hits[f"/{PATHS[2]}"] == 0

    list(download_all(capture, tmp_path, nothing))  # again: everything is there
    assert set(mirror.hits.values()) == {1}


def test_a_killed_download_asks_for_the_rest_only(mirror: Site, tmp_path: Path) -> None:
    path = f"/{PATHS[0]}"
    rest = CONTENT[1_000:] + b"\x00"
    mirror[path] = Answer(rest, 206, {"Content-Range": f"bytes 1000-10240/{len(CONTENT) + 1}"})
    target = tmp_path / "file"
    target.with_name("file.part").write_bytes(CONTENT[:1_000])
    asked: list[str] = []
    mirror.before_request = lambda headers: asked.append(headers.get("Range", ""))
    download(capture_of(mirror.url("/")), PATHS[0], target, nothing)
    assert asked == ["bytes=1000-"]
    assert target.read_bytes() == CONTENT + b"\x00"
    assert not target.with_name("file.part").exists()


def test_a_server_that_ignores_ranges_sends_all_again(mirror: Site, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.with_name("file.part").write_bytes(b"an old beginning")
    download(capture_of(mirror.url("/")), PATHS[0], target, nothing)
    assert target.read_bytes() == CONTENT + b"\x00"


def test_errors_of_the_moment_are_waited_out(mirror: Site, tmp_path: Path) -> None:
    path = f"/{PATHS[0]}"
    good = mirror.answers[path]
    answers = [Answer(b"busy", 503), Answer(b"slow down", 429), good]
    mirror.before_answer = lambda asked: mirror.answers.update({path: answers.pop(0)})
    download(capture_of(mirror.url("/")), PATHS[0], tmp_path / "file", nothing)
    assert (tmp_path / "file").read_bytes() == good.body
    assert mirror.hits[path] == 3


def test_a_download_that_keeps_failing_names_its_url_and_reason(
    mirror: Site, tmp_path: Path
) -> None:
    mirror[f"/{PATHS[0]}"] = Answer(b"busy", 503)
    with pytest.raises(DownloadError, match=r"CC-0.warc.gz: HTTP 503, 3 times in a row"):
        download(capture_of(mirror.url("/")), PATHS[0], tmp_path / "file", nothing)
    with pytest.raises(DownloadError, match=r"nothing.gz: HTTP 404$"):
        download(capture_of(mirror.url("/")), "nothing.gz", tmp_path / "other", nothing)
    assert list(tmp_path.glob("*[!t]")) == []


def test_more_files_than_the_crawl_has_is_an_error(mirror: Site, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="num_files is 4, but CC-MAIN-2024-10 has 3 warc files"):
        list(download_all(capture_of(mirror.url("/"), num_files=4), tmp_path, nothing))


def test_a_local_copy_is_read_through_a_file_url(tmp_path: Path) -> None:
    root = tmp_path / "a copy"
    for path, content in (
        ("crawl-data/CC-MAIN-2024-10/wet.paths.gz", gzip.compress(b"one.wet.gz\n")),
        ("one.wet.gz", b"text"),
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    capture = capture_of(root.as_uri() + "/", files="wet")
    [(path, file)] = download_all(capture, tmp_path / "work", nothing)
    assert (path, file.read_bytes()) == ("one.wet.gz", b"text")
