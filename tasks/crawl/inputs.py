"""What lies outside the store and is read: files by their digest, installed packages, this Python.

Nothing heavy is imported here: planning asks for these names, and must stay light.
"""

import hashlib
import importlib.metadata
import os
import platform
import re
import stat
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline_config.crawl import ExtractJob, ReadJob
from pipeline_config.sources import (
    Files,
    HtmlSource,
    HuggingFaceSource,
    JsonlSource,
    PackagesSource,
    ParquetSource,
    StdlibSource,
    TextSource,
    WarcSource,
)
from storage.fingerprint import file_digest
from storage.outside import OutsideFile

ONE_DOCUMENT = (HtmlSource, TextSource, StdlibSource)  # in each of their files
# What a trial looks at for each document: some files hold none, some documents are whole books.
TRIAL_FILES = 2
TRIAL_BYTES = 1_000_000  # hashing those of 1,000 documents takes a second or two
# Which files of a folder belong to a kind; a file or pattern that is named counts whatever it is.
SUFFIXES: dict[type[Files], tuple[str, ...]] = {
    WarcSource: (".warc", ".warc.gz", ".warc.zst", ".wet", ".wet.gz"),
    HtmlSource: (".html", ".htm", ".xhtml"),
    TextSource: (".txt", ".md", ".rst"),
    JsonlSource: (
        *(".jsonl", ".jsonl.gz", ".jsonl.zst", ".json.gz", ".json.zst"),
        *(".ndjson", ".ndjson.gz", ".ndjson.zst"),
    ),
    ParquetSource: (".parquet",),
}
MAGIC = re.compile(r"[*?\[]")
BUILD_SETTINGS = "_sysconfigdata"  # a generated table of this machine's paths and compiler flags
OUTSIDE_STDLIB = frozenset({"site-packages", "dist-packages", "__pycache__"})


@dataclass(frozen=True)
class InputFile:
    """A file outside the store."""

    name: str  # within the folder or pattern it was found by, with forward slashes
    path: Path
    bytes: int
    digest: str  # "" when it cannot be read


def identity(job: ReadJob) -> dict[str, Any]:
    """What the step `read` reads, in a form for its key."""
    return {**content(job), **list_digests(job)}


def content(job: ReadJob) -> dict[str, Any]:
    """The files or packages of a source, by their digests."""
    source = job.reads
    if isinstance(source, PackagesSource):
        found = [[*entry] for entry in package_digests(source)]
        return {"packages": len(found), "digest": _combined(found)}
    if isinstance(source, HuggingFaceSource) and not Path(source.name).expanduser().is_dir():
        return {}  # name and revision are in the job
    files = input_files(source, job.limit)
    found = [[file.name, file.digest] for file in files]
    return {"files": len(found), "digest": _combined(found)}


def list_digests(job: ReadJob | ExtractJob) -> dict[str, Any]:
    """The digests of the URL filter's lists.

    Raises:
        ValueError: when one of them cannot be read.
    """
    try:
        found = {
            name: [OutsideFile.at(path).digest for path in paths]
            for name, paths in job.url_filter.files.items()
        }
    except OSError as error:
        raise ValueError(f"url_filter.files: {error.filename}: {error.strerror}") from None
    return {"url_lists": found} if found else {}


def _combined(values: list[list[str]]) -> str:
    lines = "".join("\0".join(value) + "\n" for value in values)
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


# ---- files


def input_files(
    source: Files | StdlibSource | HuggingFaceSource, limit: int = 0
) -> list[InputFile]:
    """The files of a source, by name; for a trial with a `limit` only the first ones.

    Those are all that so many documents can need: twice as many files where each holds one
    document, else so many files or 1 MB for each document, whichever is reached first. Which files
    of a data set are read decides its loader, so all of them count.

    Raises:
        ValueError: when a path or pattern matches no file.
    """
    if isinstance(source, StdlibSource):
        pairs = list(stdlib_files(source))
    elif isinstance(source, HuggingFaceSource):
        pairs, limit = list(_matches(source.name, ("",))), 0
    else:
        pairs = [pair for path in source.paths for pair in _matches(path, SUFFIXES[type(source)])]
    unique = {os.path.realpath(path): (name, path) for name, path in sorted(pairs, reverse=True)}
    files = (_input_file(name, path) for name, path in sorted(unique.values()))
    return list(_first(files, limit, isinstance(source, ONE_DOCUMENT)) if limit else files)


def _first(files: Iterator[InputFile], limit: int, has_one: bool) -> Iterator[InputFile]:
    """Files up to those that `limit` documents can need; no other one is hashed."""
    size = 0
    for file in islice(files, limit * (TRIAL_FILES if has_one else 1)):
        yield file
        size += file.bytes
        if not has_one and size >= limit * TRIAL_BYTES:
            return


def _matches(pattern: str, suffixes: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Name and path of what a file, folder or pattern stands for."""
    path = Path(pattern).expanduser()
    if os.path.isfile(path):
        yield path.name, path
        return
    if os.path.isdir(path):
        found = list(_walk(path, suffixes))
    else:
        root, rest = _split_at_magic(path)
        matched = root.glob(rest) if rest and os.path.isdir(root) else []
        found = [(file.relative_to(root).as_posix(), file) for file in matched if _is_file(file)]
    if not found:
        kinds = " or ".join(suffix for suffix in suffixes if suffix)
        hint = f"; it holds no {kinds} file" if os.path.isdir(path) and kinds else ""
        raise ValueError(f"paths: {pattern!r} matches no file{hint} (from {Path.cwd()})")
    yield from found


def _walk(folder: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """The files of a kind below a folder, and the folders there that nobody may look into.

    Links to folders are not followed: they may lead in circles.
    """
    closed: list[Path] = []
    for place, _, names in os.walk(folder, onerror=lambda e: closed.append(Path(e.filename))):
        files = (Path(place, name) for name in names if name.lower().endswith(suffixes))
        yield from ((file.relative_to(folder).as_posix(), file) for file in files if _is_file(file))
    yield from ((path.relative_to(folder).as_posix(), path) for path in closed)


def _is_file(path: Path) -> bool:
    """Whether a path is a file; also where nobody can tell, such as a link in a circle."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True


def _split_at_magic(path: Path) -> tuple[Path, str]:
    parts = path.parts
    plain = next((i for i, part in enumerate(parts) if MAGIC.search(part)), len(parts))
    return Path(*parts[:plain]), "/".join(parts[plain:])


def _input_file(name: str, path: Path) -> InputFile:
    """A file by its content; one that cannot be read has none, and is counted when it is read."""
    try:
        status = path.stat()
        digest = _digest_of(str(path), status.st_size, status.st_mtime_ns)
    except OSError:
        return InputFile(name, path, 0, "")
    return InputFile(name, path, status.st_size, digest)


@lru_cache(maxsize=100_000)
def _digest_of(path: str, _size: int, _modified: int) -> str:
    return file_digest(Path(path))


# ---- this Python


def stdlib_files(source: StdlibSource) -> Iterator[tuple[str, Path]]:
    """Name and path of the standard library's source files, such as `json/decoder.py`."""
    root = Path(sysconfig.get_path("stdlib"))
    excluded = OUTSIDE_STDLIB | set(source.exclude)
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in excluded and "-" not in name)
        for name in sorted(names):
            module = name.removesuffix(".py")
            if module == name or module in excluded or module.startswith(BUILD_SETTINGS):
                continue
            file = Path(place, name)
            yield file.relative_to(root).as_posix(), file


def module_name(name: str) -> str:
    """The module of a source file.

    >>> module_name("json/decoder.py"), module_name("json/__init__.py")
    ('json.decoder', 'json')
    """
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


# ---- installed packages


def package_name(name: str) -> str:
    """A distribution's name in its one normal form (PEP 503).

    >>> package_name("Typing_Extensions")
    'typing-extensions'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def packages(source: PackagesSource) -> list[tuple[str, Distribution]]:
    """The installed distributions by normal name; where one is found twice, the first counts."""
    excluded = {package_name(name) for name in source.exclude}
    found: dict[str, Distribution] = {}
    for distribution in importlib.metadata.distributions():
        name = package_name(distribution.metadata["Name"] or "")
        if name and name not in excluded:
            found.setdefault(name, distribution)
    return sorted(found.items())


def package_digests(source: PackagesSource) -> list[tuple[str, str]]:
    """Name and hash of the metadata of each package."""
    return [
        (name, hashlib.sha256(metadata_text(found).encode("utf-8", "surrogateescape")).hexdigest())
        for name, found in packages(source)
    ]


def metadata_text(distribution: Distribution) -> str:
    """The file with a package's metadata, its long description included."""
    return distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""


def this_python() -> str:
    """The Python that runs, as far as its documentation depends on it."""
    name = sys.implementation.name
    return f"{name} {platform.python_version()} {sys.platform} {platform.machine()}"
