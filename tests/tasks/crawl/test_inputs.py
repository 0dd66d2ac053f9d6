import hashlib
import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from pipeline_config.crawl import CrawlConfig
from pipeline_config.sources import (
    JsonlSource,
    PackagesSource,
    StdlibSource,
    TextSource,
)
from tasks.crawl import inputs
from tasks.crawl.inputs import identity, input_files, module_name, packages, stdlib_files


def text_source(*paths: Path | str) -> TextSource:
    return TextSource(kind="text", paths=tuple(str(path) for path in paths))


def names(source: TextSource | StdlibSource | JsonlSource) -> list[str]:
    return [file.name for file in input_files(source)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.txt", "a.md", "deep/er/c.txt", "deep/skip.bin", "deep/UP.TXT"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_a_folder_gives_the_files_of_its_kind_by_name(folder: Path) -> None:
    assert names(text_source(folder)) == ["a.md", "b.txt", "deep/UP.TXT", "deep/er/c.txt"]


def test_patterns_and_files_are_taken_whatever_their_ending(folder: Path) -> None:
    assert names(text_source(folder / "deep/*.bin", folder / "b.txt")) == ["b.txt", "skip.bin"]
    assert names(text_source(folder / "**" / "*.txt")) == ["b.txt", "deep/er/c.txt"]


def test_a_file_that_is_named_twice_is_read_once(folder: Path) -> None:
    assert names(text_source(folder / "b.txt", folder / "*.txt", folder)).count("b.txt") == 1


def test_links_in_circles_end_and_links_to_nowhere_are_no_content(folder: Path) -> None:
    (folder / "deep" / "loop").symlink_to(folder)
    (folder / "dangling.txt").symlink_to(folder / "nowhere")
    (folder / "circle.txt").symlink_to(folder / "circle.txt")
    expected = ["a.md", "b.txt", "circle.txt", "dangling.txt", "deep/UP.TXT", "deep/er/c.txt"]
    for source in (text_source(folder), text_source(folder / "*.txt", folder)):
        found = input_files(source)
        assert [file.name for file in found] == expected
        assert [file.name for file in found if not file.digest] == ["circle.txt", "dangling.txt"]


def test_what_may_not_be_looked_into_is_there_without_content(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may open everything, so the system is asked to refuse."""

    def scandir(path: str) -> object:
        if str(path).endswith("deep/er"):
            raise PermissionError(13, "Permission denied", str(path))
        return real_scandir(path)

    def digest(path: Path) -> str:
        if path.name == "b.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return real_digest(path)

    real_scandir, real_digest = os.scandir, inputs.file_digest
    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(inputs, "file_digest", digest)
    found = {file.name: file.digest for file in input_files(text_source(folder))}
    assert list(found) == ["a.md", "b.txt", "deep/UP.TXT", "deep/er"]
    assert (found["b.txt"], found["deep/er"]) == ("", "")
    assert found["a.md"] == hashlib.sha256(b"a.md").hexdigest()


def test_a_pipe_is_no_file(folder: Path) -> None:
    os.mkfifo(folder / "pipe.txt")
    assert "pipe.txt" not in names(text_source(folder))


# ---- trials


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read for their digest, in order."""
    found: list[str] = []

    def digest(path: Path) -> str:
        found.append(path.name)
        return real_digest(path)

    real_digest = inputs.file_digest
    monkeypatch.setattr(inputs, "file_digest", digest)
    return found


def test_a_trial_hashes_two_files_for_each_document_where_each_holds_one(
    tmp_path: Path, hashed: list[str]
) -> None:
    for number in range(50):
        (tmp_path / f"{number:02d}.txt").write_text(str(number))
    source = text_source(tmp_path)
    assert len(input_files(source, 5)) == 10
    assert hashed == [f"{number:02d}.txt" for number in range(10)]
    assert input_files(source, 5) == input_files(source)[:10]
    assert input_files(source, 100) == input_files(source, 25) == input_files(source)


def test_a_trial_hashes_tables_up_to_a_megabyte_for_each_document(
    tmp_path: Path, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "TRIAL_BYTES", 100)
    for number in range(50):
        (tmp_path / f"{number:02d}.jsonl").write_bytes(b"x" * 150)
    source = JsonlSource(kind="jsonl", paths=(str(tmp_path),))
    assert len(input_files(source, 4)) == 3  # 450 bytes
    assert hashed == ["00.jsonl", "01.jsonl", "02.jsonl"]
    monkeypatch.setattr(inputs, "TRIAL_BYTES", 1_000_000)
    assert len(input_files(source, 4)) == 4  # more would get no share of the limit
    assert len(hashed) == 4


def test_a_trial_has_a_key_of_its_own_files(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.txt").write_text(str(number))
    source = {"kind": "text", "paths": [str(tmp_path)]}
    before = job_identity(source, limit=2)
    assert before["files"] == 4
    (tmp_path / "8.txt").write_text("other")
    assert job_identity(source, limit=2) == before
    (tmp_path / "3.txt").write_text("other")
    assert job_identity(source, limit=2) != before


@pytest.mark.parametrize("wrong", ["nothing.txt", "no/*.txt", "empty"])
def test_a_path_without_files_is_an_error_that_names_it(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="matches no file") as caught:
        input_files(text_source(tmp_path / wrong))
    assert wrong in str(caught.value)
    assert "\n" not in str(caught.value)


def job_identity(source: dict[str, Any], limit: int = 0) -> dict[str, Any]:
    crawl = CrawlConfig.model_validate({"sources": {"x": source}, "limit": limit})
    return identity(crawl.to_read("x"))


def test_identity_follows_names_and_contents_only(folder: Path) -> None:
    source = {"kind": "text", "paths": [str(folder)]}
    before = job_identity(source)
    line = "".join(
        f"{name}\0{hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n"
        for name in ("a.md", "b.txt", "deep/UP.TXT", "deep/er/c.txt")
    )
    assert before == {"files": 4, "digest": hashlib.sha256(line.encode()).hexdigest()}
    (folder / "deep/skip.bin").write_text("not read")
    assert job_identity(source) == before
    (folder / "b.txt").write_text("other")
    assert job_identity(source) != before


def test_stdlib_files_are_the_librarys_own() -> None:
    source = StdlibSource(kind="stdlib")
    found = dict(stdlib_files(source))
    root = Path(sysconfig.get_path("stdlib"))
    assert {"json/decoder.py", "argparse.py", "asyncio/events.py"} <= set(found)
    assert found["json/decoder.py"] == root / "json" / "decoder.py"
    folders = {part for name in found for part in name.split("/")[:-1]}
    assert folders.isdisjoint({"test", "tests", "idlelib", "site-packages", "__pycache__"})
    assert not [name for name in found if name.startswith("_sysconfigdata")]
    modules = {module_name(name).split(".")[0] for name in found}
    assert modules <= sys.stdlib_module_names | {"__hello__", "__phello__", "sitecustomize"}


def test_packages_are_found_once_by_their_normal_name() -> None:
    found = packages(PackagesSource(kind="packages", exclude=("Crawl2Chat", "Ruff")))
    listed = [name for name, _ in found]
    assert listed == sorted(set(listed))
    assert {"pytest", "typing-extensions", "pyarrow"} <= set(listed)
    assert {"crawl2chat", "ruff"}.isdisjoint(listed)
