"""The content-addressed store: blobs, manifests and small JSON documents on a directory or s3://.

    format.json                      the layout's version
    blobs/ab/abcdef…                 immutable files, named by the sha256 of their bytes
    manifests/<step>/<recipe>/0001.json   what was built; a rebuild with other bytes is 0002
    shards/<step>/<group>/*.jsonl    per-shard journals (storage/shards.py)
    runs/<id>.json  refs/**.json  latest/**.json     (storage/runs.py)

Mutable things never live in the store: locks, temporary files and work in progress are in `side`,
a local directory (`<store>/local` for a local store, the user's cache for a remote one).
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from storage.artifact import ArtifactRef, FileEntry, Manifest
from storage.fingerprint import canonical_json, file_digest

FORMAT = 1


class StoreError(Exception):
    """The store cannot do what was asked; the message says what to do."""


class VanishedError(StoreError):
    """A blob that a manifest names is not there, or not whole."""

    def __init__(self, blob: str, detail: str) -> None:
        """`detail` says what was found in the blob's place."""
        super().__init__(f"blob {blob[:12]} {detail}; run again: the step that made it rebuilds it")
        self.blob = blob


class Store:
    """A directory or object store that never changes a blob and never forgets a manifest."""

    def __init__(self, url: str) -> None:
        """Opens the store at `url`, a path or any fsspec URL, and creates it if it is new."""
        self.url = url if "://" in url else str(Path(url).expanduser().absolute())
        self.fs, self.root = fsspec.core.url_to_fs(self.url)
        self.is_local = isinstance(self.fs, LocalFileSystem)
        if self.is_local:
            self.side = Path(self.root) / "local"
        else:
            name = hashlib.sha256(self.url.encode()).hexdigest()[:16]
            cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
            self.side = cache / "crawl2chat" / name
        for folder in ("tmp", "locks", "work"):
            (self.side / folder).mkdir(parents=True, exist_ok=True)
        self._check_format()

    def _check_format(self) -> None:
        self.create_json("format.json", {"format": FORMAT})
        found = (self.read_json("format.json") or {}).get("format")
        if not isinstance(found, int) or found > FORMAT:
            raise StoreError(
                f"the store {self.url} has format {found}, this program reads up to {FORMAT}; "
                "install a newer crawl2chat or name another store"
            )

    def full(self, path: str) -> str:
        """The file system's own name of a path inside the store."""
        return f"{self.root}/{path}"

    # ---- small JSON documents

    def read_json(self, path: str) -> Any | None:
        """The JSON document at `path`, or None."""
        try:
            return json.loads(self.fs.cat_file(self.full(path)))
        except FileNotFoundError:
            return None

    def write_json(self, path: str, value: object) -> None:
        """Replaces the JSON document at `path` in one step."""
        self._put_bytes(path, canonical_json(value), only_new=False)

    def create_json(self, path: str, value: object) -> bool:
        """Writes the document unless there is one already; says whether it was written."""
        return self._put_bytes(path, canonical_json(value), only_new=True)

    def list_json(self, folder: str) -> list[str]:
        """The paths of the JSON documents directly in `folder`, sorted."""
        return [path for path in self.list_files(folder) if path.endswith(".json")]

    def list_files(self, folder: str, *, deep: bool = False) -> list[str]:
        """The paths of the files in `folder` (with its subfolders if `deep`), sorted."""
        try:
            self.fs.invalidate_cache()
            find = self.fs.find if deep else self.fs.ls
            kwargs = {} if deep else {"detail": False}
            found = find(self.full(folder), **kwargs)
        except FileNotFoundError:
            return []
        return sorted(path[len(self.root) + 1 :] for path in found)

    def remove(self, path: str) -> None:
        """Removes one file; a file that is gone already is fine."""
        with contextlib.suppress(FileNotFoundError):
            self.fs.rm_file(self.full(path))

    def _put_bytes(self, path: str, data: bytes, *, only_new: bool) -> bool:
        if not self.is_local:
            try:
                self.fs.pipe_file(self.full(path), data, mode="create" if only_new else "overwrite")
            except FileExistsError:
                return False
            return True
        target = Path(self.full(path))
        if only_new and target.exists():
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.side / "tmp" / uuid.uuid4().hex
        temporary.write_bytes(data)
        try:
            if only_new:
                os.link(temporary, target)  # atomic, and fails when somebody was first
            else:
                os.replace(temporary, target)
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        return True

    # ---- blobs

    @staticmethod
    def blob_name(blob: str) -> str:
        """Where a blob lives inside the store."""
        return f"blobs/{blob[:2]}/{blob}"

    def put_blob(self, path: Path) -> tuple[str, int]:
        """Moves a finished local file into the store; returns its sha256 and its size in bytes.

        The file must lie on the store's own file system (in `scratch()`), so that the move is one
        rename and no reader ever sees half a blob.
        """
        blob, size = file_digest(path), path.stat().st_size
        target = self.full(self.blob_name(blob))
        if not self.is_local:
            if self._blob_size(blob) != size:
                self.fs.put_file(str(path), target)
            path.unlink()
            return blob, size
        path.chmod(0o444)
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)
        return blob, size

    def _blob_size(self, blob: str) -> int | None:
        try:
            if self.is_local:
                return os.stat(self.full(self.blob_name(blob))).st_size
            self.fs.invalidate_cache()
            return int(self.fs.info(self.full(self.blob_name(blob)))["size"])
        except FileNotFoundError:
            return None

    def has_blob(self, entry: FileEntry) -> bool:
        """Whether the blob is there with its full size; its bytes are `verify`'s business."""
        return self._blob_size(entry.blob) == entry.bytes

    def is_intact(self, entry: FileEntry) -> bool:
        """Whether the blob is there with the bytes of its name; a remote one is fetched."""
        try:
            path = self.blob_path(entry)
        except VanishedError:
            return False
        return self.has_blob(entry) and file_digest(path) == entry.blob

    def blob_path(self, entry: FileEntry) -> Path:
        """A local, read-only path to the blob's bytes; a remote one is fetched and checked once.

        Raises:
            VanishedError: when the blob is missing, truncated, or not what its name says.
        """
        if self.is_local:
            size = self._blob_size(entry.blob)
            if size != entry.bytes:
                found = "is missing" if size is None else f"has {size} of {entry.bytes} bytes"
                raise VanishedError(entry.blob, found)
            return Path(self.full(self.blob_name(entry.blob)))
        cached = self.side / "blobs" / entry.blob
        if cached.exists():
            return cached
        cached.parent.mkdir(exist_ok=True)
        temporary = self.side / "tmp" / uuid.uuid4().hex
        try:
            self.fs.get_file(self.full(self.blob_name(entry.blob)), str(temporary))
        except FileNotFoundError:
            raise VanishedError(entry.blob, "is missing") from None
        if file_digest(temporary) != entry.blob:
            temporary.unlink()
            raise VanishedError(entry.blob, "is damaged")
        os.replace(temporary, cached)
        return cached

    # ---- manifests

    def manifests(self, step: str, recipe: str) -> list[Manifest]:
        """Every generation of an artifact, oldest first."""
        found = (self.read_json(path) for path in self.list_json(f"manifests/{step}/{recipe}"))
        return [Manifest.model_validate(value) for value in found if value is not None]

    def latest_manifest(self, step: str, recipe: str) -> Manifest | None:
        """The newest generation, or None when the recipe was never built."""
        generations = self.manifests(step, recipe)
        return generations[-1] if generations else None

    def manifest_of(self, ref: ArtifactRef) -> Manifest:
        """The manifest of exactly the content that a handle names."""
        for manifest in reversed(self.manifests(ref.step, ref.recipe)):
            if manifest.digest == ref.digest:
                return manifest
        raise StoreError(
            f"no manifest of {ref.step} {ref.recipe[:12]} with content {ref.digest[:12]} in "
            f"{self.url}; was it collected? Run the flow again"
        )

    def missing(self, manifest: Manifest) -> list[FileEntry]:
        """The files whose blobs are gone or truncated.

        On a remote store a look costs milliseconds a blob, so there a missing blob shows when it
        is opened (`VanishedError`), and this list is empty.
        """
        if not self.is_local:
            return []
        return [entry for entry in manifest.files if not self.has_blob(entry)]

    def commit(self, manifest: Manifest) -> Manifest:
        """Adds a manifest unless an equal, whole one is there; the first of two builders wins."""
        folder = f"manifests/{manifest.step}/{manifest.recipe}"
        while True:
            generations = self.list_json(folder)
            if generations:
                latest = Manifest.model_validate(self.read_json(generations[-1]))
                if latest.files == manifest.files or not self.missing(latest):
                    return latest
            number = int(Path(generations[-1]).stem) + 1 if generations else 1
            if self.create_json(f"{folder}/{number:04d}.json", manifest.model_dump(mode="json")):
                return manifest

    def withdraw(self, step: str, recipe: str) -> None:
        """Forgets every generation of an artifact, so that its step builds it again."""
        for path in self.list_json(f"manifests/{step}/{recipe}"):
            self.remove(path)

    def all_manifests(self, step: str = "") -> Iterator[tuple[str, Manifest]]:
        """Every manifest of the store, or of one step, with its path."""
        for path in self.list_files(f"manifests/{step}".rstrip("/"), deep=True):
            value = self.read_json(path)
            if value is not None:
                yield path, Manifest.model_validate(value)

    # ---- the local side

    def work(self, recipe: str) -> Path:
        """The mutable folder of one recipe in progress; it survives kills."""
        folder = self.side / "work" / recipe
        folder.mkdir(exist_ok=True)
        return folder

    def discard_work(self, recipe: str) -> None:
        """Removes a recipe's work folder once its artifact is committed."""
        shutil.rmtree(self.side / "work" / recipe, ignore_errors=True)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder on the store's file system, removed afterwards."""
        folder = Path(tempfile.mkdtemp(dir=self.side / "tmp"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Waits until this process alone holds `name`; death of the holder frees it."""
        with (self.side / "locks" / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
