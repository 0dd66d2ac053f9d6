from pathlib import Path
from typing import Any

import example_shards
import pyarrow as pa
import pytest

from storage.artifact import ArtifactRef, FileEntry
from storage.build import Build
from storage.executors import WorkerCrashError
from storage.session import Session
from storage.shards import Shard, ShardError, ShardFunction
from storage.steps import Step, step
from storage.store import Store


def make_step(
    log: Path, function: ShardFunction = example_shards.double, version: str = "1"
) -> Step:
    @step("double", version=version)
    def double(build: Build, numbers: ArtifactRef) -> None:
        shards = [Shard(entry.name[:5], (entry,)) for entry in build.files(numbers)]
        build.map_shards(function, shards, {"log": str(log)})

    return double


@step("numbers", version="1")
def numbers(build: Build, values: list[int]) -> None:
    for index, value in enumerate(values):
        build.add_table(f"{index:05d}.parquet", pa.table({"x": [value, value + 1]}))


def ran(log: Path) -> list[str]:
    return sorted(log.read_text().split()) if log.exists() else []


def content(store: Store, ref: ArtifactRef) -> list[list[int]]:
    from storage.tables import read_table

    entries: list[FileEntry] = store.manifest_of(ref).files
    return [read_table(store.blob_path(entry)).column("x").to_pylist() for entry in entries]


def test_every_shard_is_computed_once_in_order(direct: Session, tmp_path: Path) -> None:
    log = tmp_path / "log"
    ref = make_step(log)(numbers([1, 5, 9]))
    assert content(direct.store, ref) == [[2, 4], [10, 12], [18, 20]]
    assert ran(log) == ["00000", "00001", "00002"]
    assert direct.store.manifest_of(ref).counts.read == 6


def test_a_grown_input_computes_only_its_new_shards(direct: Session, tmp_path: Path) -> None:
    log = tmp_path / "log"
    make_step(log)(numbers([1, 5]))
    log.unlink()
    ref = make_step(log)(numbers([7, 1, 5]))  # the old shards have moved up by one
    assert ran(log) == ["00000"]
    assert content(direct.store, ref) == [[14, 16], [2, 4], [10, 12]]
    names = [entry.name for entry in direct.store.manifest_of(ref).files]
    assert names == ["00000.parquet", "00001.parquet", "00002.parquet"]


def test_a_new_version_computes_everything(direct: Session, tmp_path: Path) -> None:
    log = tmp_path / "log"
    make_step(log)(numbers([1, 5]))
    make_step(log, version="2")(numbers([1, 5]))
    assert ran(log) == ["00000", "00000", "00001", "00001"]


def test_a_failing_shard_is_named_and_the_others_are_kept(direct: Session, tmp_path: Path) -> None:
    log = tmp_path / "log"
    values = [1, 2, 3, 4]
    with pytest.raises(ShardError, match=r"(?s)shard 00002: ValueError: the number 2.*Traceback"):
        make_step(log, example_shards.fail_on_third)(numbers(values))
    finished = set(ran(log))
    log.unlink()
    make_step(log)(numbers(values))
    assert set(ran(log)) == {"00000", "00001", "00002", "00003"} - finished


def test_a_lost_blob_recomputes_its_shard_only(direct: Session, tmp_path: Path) -> None:
    log = tmp_path / "log"
    ref = make_step(log)(numbers([1, 5, 9]))
    entry = direct.store.manifest_of(ref).files[1]
    direct.store.blob_path(entry).unlink()
    log.unlink()
    assert make_step(log)(numbers([1, 5, 9])) == ref
    assert ran(log) == ["00001"]


def test_a_torn_journal_line_is_ignored(direct: Session, tmp_path: Path) -> None:
    log = tmp_path / "log"
    ref = make_step(log)(numbers([1, 5]))
    for path in direct.store.list_files("shards", deep=True):
        journal = Path(direct.store.full(path))
        journal.write_bytes(journal.read_bytes()[:-20])
    direct.store.withdraw("double", ref.recipe)
    log.unlink()
    assert make_step(log)(numbers([1, 5])) == ref
    assert ran(log)  # at least one segment was torn


def test_a_worker_that_dies_once_costs_nothing_but_time(direct: Session, tmp_path: Path) -> None:
    ref = make_step(tmp_path / "log", example_shards.die_once)(numbers([1, 2, 3]))
    assert content(direct.store, ref) == [[2, 4], [4, 6], [6, 8]]


def test_a_shard_that_always_kills_its_worker_is_named(direct: Session, tmp_path: Path) -> None:
    with pytest.raises(WorkerCrashError, match="shard 00001"):
        make_step(tmp_path / "log", example_shards.die_always)(numbers([1, 2, 3]))


def test_file_names_must_hold_the_shard_name(direct: Session) -> None:
    from storage.shards import ShardOutput

    out: Any = ShardOutput("00003", None, Path())
    with pytest.raises(ValueError, match="00003"):
        out.add_file("fixed.bin", Path("x"))
