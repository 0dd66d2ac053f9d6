"""A corpus that grows: any split into increments gives what one run over everything gives."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_config.dedup import DedupConfig, SignatureConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.documents import DECISION_SCHEMA, DOCUMENT_SCHEMA
from storage.session import Session, Silent, session
from storage.steps import step
from storage.store import Store
from storage.tables import read_table
from tasks.dedup.clusters import NOBODY, Verdicts, find_duplicates
from tasks.dedup.task import dedup, sign

ENTRIES, BANDS, ROWS = 12, 4, 3
DOCUMENTS, MONTHS = 60, 4
REPEATS = 17  # 20 numbers under 60 are 2 modulo 3; of them 14, 35 and 56 are multiples of 7


def find_all(signatures: np.ndarray[Any, Any], max_compared: int) -> Verdicts:
    _, codes = np.unique(signatures, axis=0, return_inverse=True)
    return find_duplicates(
        signatures,
        codes.astype(np.int64),
        np.ones(len(signatures), bool),
        np.arange(len(signatures)),
        num_bands=BANDS,
        num_rows=ROWS,
        min_similarity=0.5,
        cluster_similarity=0.5,
        max_compared=max_compared,
    )


def find(signatures: np.ndarray[Any, Any], max_compared: int) -> list[int]:
    found: list[int] = find_all(signatures, max_compared).duplicate_of.tolist()
    return found


@given(
    st.lists(
        st.lists(st.integers(0, 2), min_size=ENTRIES, max_size=ENTRIES), min_size=1, max_size=14
    ),
    st.sets(st.integers(1, 13)),
    st.sampled_from([1, 2, 1000]),
)
def test_new_documents_are_compared_with_kept_ones_only(
    rows: list[list[int]], cuts: set[int], max_compared: int
) -> None:
    """Of the old documents, each increment sees the signatures of the kept ones, and no more."""
    signatures = np.array(rows, np.uint32)
    kept: list[int] = []
    duplicate_of: list[int] = []
    edges = [0, *sorted(cut for cut in cuts if cut < len(rows)), len(rows)]
    for start, end in pairwise(edges):
        known = [*kept, *range(start, end)]
        found = find(signatures[known], max_compared)
        assert found[: len(kept)] == [NOBODY] * len(kept)  # what was kept stays
        named = [NOBODY if other == NOBODY else known[other] for other in found[len(kept) :]]
        kept += [start + n for n, other in enumerate(named) if other == NOBODY]
        duplicate_of += named
    assert duplicate_of == find(signatures, max_compared)


@given(
    st.lists(
        st.lists(st.integers(0, 2), min_size=ENTRIES, max_size=ENTRIES), min_size=1, max_size=14
    ),
    st.sampled_from([1, 2, 1000]),
    st.data(),
)
def test_neighbourhoods_do_not_matter_to_each_other(
    rows: list[list[int]], max_compared: int, data: st.DataObject
) -> None:
    """So wherever newcomers stand in the order, only those that they enter are decided again."""
    signatures = np.array(rows, np.uint32)
    all_at_once = find_all(signatures, max_compared)
    named = sorted(set(all_at_once.neighbourhood.tolist()))
    chosen = data.draw(st.lists(st.sampled_from(named), unique=True, min_size=1))
    some = np.flatnonzero(np.isin(all_at_once.neighbourhood, chosen))
    alone = find_all(signatures[some], max_compared)
    found = np.where(alone.duplicate_of == NOBODY, NOBODY, some[alone.duplicate_of])
    assert found.tolist() == all_at_once.duplicate_of[some].tolist()
    assert some[alone.component].tolist() == all_at_once.component[some].tolist()
    assert some[alone.neighbourhood].tolist() == all_at_once.neighbourhood[some].tolist()
    assert alone.work.tolist() == all_at_once.work[some].tolist()


# ---- through the steps


def text(number: int) -> str:
    """60 words: one in three documents is the last multiple of 7, but for one word or none."""
    own = number - number % 7 if number % 3 == 2 else number
    rng = np.random.default_rng(own)
    words = [f"word{n}" for n in rng.integers(0, 500, 60)]
    if number % 6 == 5:
        words[number % 60] = f"new{number}"
    return " ".join(words)


@step("monthly-documents", version="1")
def documents(build: Build, months: int, shards_per_month: int) -> None:
    """What was crawled up to a month; older files stay what they were."""
    each = DOCUMENTS // MONTHS // shards_per_month
    for start in range(0, months * DOCUMENTS // MONTHS, each):
        filled: list[dict[str, Any]] = [
            dict.fromkeys(DOCUMENT_SCHEMA.names, "")
            | {
                "id": f"{n * 7919 % 1000:03d}",
                "text": text(n),
                "first_seen": f"2024-{1 + n * MONTHS // DOCUMENTS:02d}-01",
                "warc_offset": -1,
            }
            for n in range(start, start + each)
        ]
        build.add_table(f"{start:05d}.parquet", pa.Table.from_pylist(filled, DOCUMENT_SCHEMA))


@step("keep-all", version="1")
def keep_all(build: Build, documents: ArtifactRef) -> None:
    for path, entry in zip(build.paths(documents), build.files(documents), strict=True):
        ids = read_table(path, ["id"])["id"]
        rows = [
            {"id": id.as_py(), "kept": True, "reason": "", "duplicate_of": "", "similarity": 0.0}
            for id in ids
        ]
        build.add_table(entry.name, pa.Table.from_pylist(rows, DECISION_SCHEMA))


class Listener(Silent):
    """Remembers what steps say."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def log(self, label: str, message: str) -> None:
        self.messages.append((label, message))


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> Iterator[Session]:
    store = Store(str(tmp_path_factory.mktemp("store")))
    with session(
        store, flow="test", preset="test", config=DedupConfig(), workers=1,
        through_prefect=False, reporter=listener,
    ) as current:  # fmt: skip
        yield current


Decisions = dict[str, tuple[bool, str, str]]


def clusters(session: Session, ref: ArtifactRef) -> dict[str, str]:
    """By id: the name of its cluster."""
    files = [
        entry for entry in session.store.manifest_of(ref).files if entry.name.startswith("web/")
    ]
    tables = [read_table(session.store.blob_path(entry), ["id", "cluster"]) for entry in files]
    return {row["id"]: row["cluster"] for row in pa.concat_tables(tables).to_pylist()}


@pytest.mark.parametrize("keep", ["oldest", "longest", "newest"])
def test_growth_renames_no_cluster(direct: Session, keep: Any) -> None:
    """So nothing moves between training and the held-out split, though ids are in no order."""
    found = []
    for months in range(1, MONTHS + 1):
        crawled = documents(months, 1)
        passed = keep_all(crawled)
        signed = sign(crawled, passed, SignatureConfig(), label=f"{months}")
        ref = dedup({"web": signed}, {"web": passed}, DedupConfig(keep=keep), label=f"{months}")
        found.append(clusters(direct, ref))
    for before, after in pairwise(found):
        assert {id: after[id] for id in before} == before
    last = found[-1]
    assert any(id < cluster for id, cluster in last.items())  # the smallest id would rename it


def decisions(session: Session, months: int, shards_per_month: int, keep: Any) -> Decisions:
    """By id: kept, reason, duplicate_of."""
    crawled = documents(months, shards_per_month)
    passed = keep_all(crawled)
    signed = sign(crawled, passed, SignatureConfig(), label=f"{months}")
    ref = dedup({"web": signed}, {"web": passed}, DedupConfig(keep=keep), label=f"{months}")
    files = [
        entry for entry in session.store.manifest_of(ref).files if entry.name.startswith("web/")
    ]
    tables = [read_table(session.store.blob_path(entry)) for entry in files]
    return {
        row["id"]: (row["kept"], row["reason"], row["duplicate_of"])
        for row in pa.concat_tables(tables).to_pylist()
    }


def test_months_add_up_to_one_run(direct: Session, listener: Listener) -> None:
    """With the oldest kept, no month changes what was decided before, nor reads old texts."""
    before: Decisions = {}
    for months in range(1, MONTHS + 1):
        now = decisions(direct, months, 1, "oldest")
        assert {id: now[id] for id in before} == before
        before = now
        if months > 1:
            line = f"{months - 1} of {months} shards were finished before"
            assert (f"sign/{months}", line) in listener.messages
    dropped = [reason for kept, reason, _ in before.values() if not kept]
    assert {"exact_duplicate", "near_duplicate"} == set(dropped)
    assert len(dropped) == REPEATS
    assert decisions(direct, MONTHS, 3, "oldest") == before


@pytest.mark.parametrize("keep", ["longest", "newest"])
def test_other_policies_decide_anew_and_need_no_text(direct: Session, keep: str) -> None:
    """Whatever came in which file, the fingerprints of all decide."""
    month_by_month = [decisions(direct, months, 1, keep) for months in (2, MONTHS)]
    assert month_by_month[-1] == decisions(direct, MONTHS, 3, keep)
    assert sum(kept for kept, _, _ in month_by_month[-1].values()) == DOCUMENTS - REPEATS
