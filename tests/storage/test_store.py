import subprocess
import sys
from pathlib import Path

import pytest

from storage.artifact import ArtifactRef, Counts, FileEntry, Manifest, content_digest
from storage.runs import (
    list_references,
    move_reference,
    read_reference,
)
from storage.store import Store, StoreError, VanishedError


def put(store: Store, content: bytes, name: str = "a.bin") -> FileEntry:
    with store.scratch() as scratch:
        path = scratch / "file"
        path.write_bytes(content)
        blob, size = store.put_blob(path)
    return FileEntry(name=name, blob=blob, digest=blob, bytes=size, rows=1)


def manifest(entry: FileEntry, recipe: str = "r" * 64) -> Manifest:
    return Manifest(
        step="s", version="1", label="s", recipe=recipe, digest=content_digest([entry]),
        ingredients={"step": "s"}, files=[entry], counts=Counts(), seconds=1.0, libraries={},
        created_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip


def test_a_blob_is_named_by_the_sha256_of_its_bytes(store: Store) -> None:
    entry = put(store, b"abc")
    # FIPS 180-2, appendix B.1
    assert entry.blob == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert store.blob_path(entry).read_bytes() == b"abc"


def test_a_missing_or_truncated_blob_is_named(store: Store) -> None:
    entry = put(store, b"abcdef")
    path = store.blob_path(entry)
    path.chmod(0o644)
    path.write_bytes(b"abc")
    with pytest.raises(VanishedError, match="3 of 6 bytes"):
        store.blob_path(entry)
    path.unlink()
    with pytest.raises(VanishedError, match="is missing"):
        store.blob_path(entry)
    assert store.missing(manifest(entry)) == [entry]


def test_the_first_of_two_builders_wins(store: Store) -> None:
    first, second = manifest(put(store, b"one")), manifest(put(store, b"two"))
    assert store.commit(first) == first
    assert store.commit(second) == first
    assert len(store.manifests("s", "r" * 64)) == 1


def test_a_rebuild_with_other_bytes_is_a_new_generation(store: Store) -> None:
    first, second = manifest(put(store, b"one")), manifest(put(store, b"two"))
    store.commit(first)
    store.blob_path(first.files[0]).unlink()
    assert store.commit(second) == second
    assert [m.digest for m in store.manifests("s", "r" * 64)] == [first.digest, second.digest]
    assert store.manifest_of(first.ref) == first


def test_an_unknown_handle_says_what_to_do(store: Store) -> None:
    with pytest.raises(StoreError, match="Run the flow again"):
        store.manifest_of(ArtifactRef(step="s", recipe="x", digest="y"))


def test_a_newer_format_is_refused_with_advice(tmp_path: Path) -> None:
    Store(str(tmp_path)).write_json("format.json", {"format": 99})
    with pytest.raises(StoreError, match="install a newer crawl2chat"):
        Store(str(tmp_path))


def test_a_reference_remembers_where_it_pointed(store: Store) -> None:
    old, new = manifest(put(store, b"1")).ref, manifest(put(store, b"2")).ref
    assert read_reference(store, "current/chat") is None
    move_reference(store, "current/chat", old, "run-1")
    move_reference(store, "current/chat", new, "run-2")
    move_reference(store, "current/chat", new, "run-3")  # already there
    found = read_reference(store, "current/chat")
    assert found is not None
    assert (found.artifact, found.previous, found.run) == (new, old, "run-2")
    assert list(list_references(store)) == ["current/chat"]


def test_a_killed_holder_frees_its_lock(store: Store) -> None:
    code = (
        "import os, sys; from storage.store import Store\n"
        "with Store(sys.argv[1]).lock('x'):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, store.url], check=False)
    with store.lock("x"):
        pass  # would hang, and fail by the timeout
