import hashlib
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


def test_links_in_circles_end(folder: Path) -> None:
    (folder / "deep" / "loop").symlink_to(folder)
    (folder / "dangling.txt").symlink_to(folder / "nowhere")
    assert names(text_source(folder)) == ["a.md", "b.txt", "deep/UP.TXT", "deep/er/c.txt"]
    assert "b.txt" in names(text_source(folder / "**" / "*.txt"))


@pytest.mark.parametrize("wrong", ["nothing.txt", "no/*.txt", "empty"])
def test_a_path_without_files_is_an_error_that_names_it(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="matches no file") as caught:
        input_files(text_source(tmp_path / wrong))
    assert wrong in str(caught.value)
    assert "\n" not in str(caught.value)


def job_identity(source: dict[str, Any]) -> dict[str, Any]:
    crawl = CrawlConfig.model_validate({"sources": {"x": source}})
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
