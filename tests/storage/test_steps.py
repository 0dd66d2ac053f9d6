from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import BaseModel

from storage.artifact import ArtifactRef
from storage.build import Build
from storage.maintenance import gc, verify
from storage.runs import list_runs, move_reference, read_run
from storage.session import PlanError, PlanRow, Session, planning, session
from storage.steps import step
from storage.store import Store, StoreError


class Making(BaseModel):
    rows: int = 3
    offset: int = 0


class Filtering(BaseModel):
    modulo: int = 2


class Asking(BaseModel):
    outside: bool = False


class Training(BaseModel):
    lr: float = 0.1


calls: list[str] = []


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


@step("make", version="1")
def make(build: Build, config: Making) -> None:
    calls.append("make")
    build.add_table(
        "rows.parquet", pa.table({"x": [i + 0 * config.offset for i in range(config.rows)]})
    )


@step("keep", version="1", libraries=("pyarrow",))
def keep(build: Build, rows: ArtifactRef, config: Filtering) -> None:
    calls.append("keep")
    from storage.tables import read_table

    values = read_table(build.path(rows, "rows.parquet")).column("x").to_pylist()
    kept = [value for value in values if value % config.modulo == 0]
    build.counts.read, build.counts.kept = len(values), len(kept)
    build.counts.drop("odd", len(values) - len(kept))
    build.add_table("rows.parquet", pa.table({"x": kept}))


@step("train", version="1", facts=lambda rows, config: {"threads": 2})
def train(build: Build, rows: ArtifactRef, config: Training) -> None:
    calls.append("train")
    path = build.scratch / "weights"
    # not reproducible, as training may be
    path.write_bytes(bytes([len(calls)]) + rows.digest.encode())
    build.add_file("weights", path)


@step("score", version="1")
def score(build: Build, model: ArtifactRef) -> None:
    calls.append("score")
    build.add_json("score.json", {"bytes": model.bytes})


@step("ask", version="1", capture=lambda config: config.outside)
def ask(build: Build, config: Asking) -> None:
    build.add_json("answer.json", {"answer": 42})


MAKING, FILTERING, TRAINING = Making(), Filtering(), Training()


def compose(
    making: Making = MAKING, filtering: Filtering = FILTERING, training: Training = TRAINING
) -> ArtifactRef:
    rows = make(making)
    kept = keep(rows, filtering)
    return score(train(kept, training))


def run(store: Store, *configs: BaseModel, version: str = "1") -> list[str]:
    calls.clear()
    with session(store, flow="f", preset="p", config=Making(), workers=1, through_prefect=False):
        compose(*configs)
    return list(calls)


def plan(store: Store, *configs: BaseModel) -> dict[str, PlanRow]:
    with planning(store, flow="f", preset="p") as rows:
        compose(*configs)
    return {row.name: row for row in rows.rows}


def states(rows: dict[str, PlanRow]) -> list[str]:
    return [rows[name].state for name in ("make", "keep", "train", "score")]


def test_a_second_run_executes_nothing(store: Store) -> None:
    assert run(store) == ["make", "keep", "train", "score"]
    assert run(store) == []
    assert states(plan(store)) == ["cached"] * 4
    assert [record.executed for record in list_runs(store)] == [4, 0]


def test_equal_bytes_upstream_change_nothing_downstream(store: Store) -> None:
    run(store)
    assert run(store, Making(offset=1)) == ["make"]


def test_plan_says_what_changed_and_what_may_follow(store: Store) -> None:
    assert {(row.state, row.why) for row in plan(store).values()} == {("run", "never built")}
    run(store)
    with planning(store, flow="another", preset="p") as elsewhere:
        compose(Making(rows=7))
    assert [row.state for row in elsewhere.rows] == ["run", "maybe", "maybe", "maybe"]
    rows = plan(store, Making(), Filtering(modulo=1))
    assert states(rows) == ["cached", "run", "maybe", "maybe"]
    assert rows["keep"].why == "config.modulo: 2 -> 1"
    assert rows["train"].why == "unless unchanged: keep"
    assert rows["keep"].seconds is not None
    assert run(store, Making(), Filtering(modulo=1)) == ["keep", "train", "score"]


def test_a_lost_blob_rebuilds_just_its_step(store: Store) -> None:
    run(store)
    _lose(store, "keep")
    rows = plan(store)
    assert states(rows) == ["cached", "run", "cached", "cached"]
    assert rows["keep"].why == "1 blobs gone"
    assert run(store) == ["keep"]


def test_a_lost_model_may_come_out_otherwise(store: Store) -> None:
    run(store)
    _lose(store, "train")
    assert states(plan(store)) == ["cached", "cached", "run", "maybe"]
    assert run(store)[0] == "train"
    assert run(store) == []


@pytest.mark.parametrize(("outside", "follows"), [(False, "cached"), (True, "maybe")])
def test_a_lost_answer_from_outside_may_come_out_otherwise(
    store: Store, outside: bool, follows: str
) -> None:
    with session(store, flow="f", preset="p", config=Asking(), workers=1, through_prefect=False):
        score(ask(Asking(outside=outside)))
    _lose(store, "ask")
    with planning(store, flow="f", preset="p") as planned:
        score(ask(Asking(outside=outside)))
    assert [row.state for row in planned.rows] == ["run", follows]


def _lose(store: Store, label: str) -> None:
    (found,) = [m for _, m in store.all_manifests() if m.label == label]
    store.blob_path(found.files[0]).unlink()


def test_flow_code_may_not_look_inside_a_handle(store: Store) -> None:
    with planning(store, flow="f", preset="p"), pytest.raises(PlanError, match="reads make"):
        make(Making()).rows  # noqa: B018


def test_a_failing_step_leaves_a_failed_run_that_names_it(store: Store) -> None:
    @step("break", version="1")
    def broken(build: Build) -> None:
        raise ValueError("out of luck")

    with (
        pytest.raises(ValueError, match="out of luck"),
        session(store, flow="f", preset="p", config=Making(), workers=1, through_prefect=False),
    ):
        broken()
    record = read_run(store)
    assert (record.status, record.error) == ("failed", "out of luck")
    assert (record.steps[0].status, record.steps[0].error) == ("failed", "out of luck")


@pytest.mark.parametrize(
    ("end", "status"), [(KeyboardInterrupt(), "interrupted"), (ValueError("no"), "failed")]
)
def test_a_run_that_was_ended_is_no_crash(store: Store, end: BaseException, status: str) -> None:
    with (
        pytest.raises(type(end)),
        session(store, flow="f", preset="p", config=Making(), workers=1, through_prefect=False),
    ):
        raise end
    assert read_run(store).status == status


def test_a_step_that_makes_nothing_fails_with_its_funnel(direct: Session) -> None:
    @step("empty", version="1")
    def empty(build: Build) -> None:
        build.counts.read = 5
        build.counts.drop("too_short", 5)

    with pytest.raises(ValueError, match=r"read 5, kept 0, dropped 5 \(too_short 5\)"):
        empty()


def test_outside_inputs_enter_the_key(direct: Session) -> None:
    outside = {"digest": "one"}

    @step("read", version="1", identity=lambda folder: outside["digest"])
    def read(build: Build, folder: str) -> None:
        calls.append(outside["digest"])
        build.add_json("value.json", outside["digest"])

    read("x")
    read("x")
    outside["digest"] = "two"
    read("x")
    assert calls == ["one", "two"]


def test_verify_names_and_withdraws_a_flipped_byte(store: Store) -> None:
    run(store)
    (found,) = [m for _, m in store.all_manifests() if m.label == "keep"]
    path = store.blob_path(found.files[0])
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    assert run(store) == []  # the size is right: only verify can know
    result = verify(store)
    assert [(b.blob, b.used_by) for b in result.broken] == [(found.files[0].blob, ["keep"])]
    assert run(store) == ["keep"]
    assert verify(store).broken == []


def test_gc_keeps_what_runs_and_references_reach(store: Store) -> None:
    run(store, Making(rows=5))
    promoted = read_run(store).artifact("train")
    assert promoted is not None
    move_reference(store, "current/chat", promoted, "x")
    run(store)
    before = len(list(store.all_manifests()))
    assert gc(store, keep_runs=1, min_age_hours=24).blobs == 0  # all is young
    dry = gc(store, keep_runs=1, min_age_hours=-1, dry_run=True)
    done = gc(store, keep_runs=1, min_age_hours=-1)
    assert dry == done
    assert done.manifests == 3  # make, keep and score of the first run; its model is referenced
    assert len(list(store.all_manifests())) == before - 3
    assert run(store) == []
    assert verify(store).broken == []


def test_an_unknown_run_says_where_to_look(store: Store) -> None:
    with pytest.raises(StoreError, match="runs list"):
        read_run(store, "2031")


def test_unstable_arguments_are_refused(direct: Session, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="PosixPath"):
        make(tmp_path)  # type: ignore[arg-type]
