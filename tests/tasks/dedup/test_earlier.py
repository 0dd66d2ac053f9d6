"""A refresh takes over what it does not touch, and gives the bytes of a run over everything."""

from hashlib import md5
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_config.dedup import DedupConfig, SignatureConfig
from storage.artifact import ArtifactRef, Manifest
from storage.build import Build
from storage.session import Silent, session
from storage.steps import step
from storage.store import Store
from tasks.dedup.sign import SIGNATURE_COLUMNS
from tasks.dedup.task import dedup

ENTRIES, BANDS = 16, 4
SIGNATURES = SIGNATURE_COLUMNS.append(pa.field("signature", pa.binary(4 * ENTRIES)))
Rows = list[dict[str, Any]]
Corpus = dict[str, dict[str, Rows]]  # by source and file


class Listener(Silent):
    """Remembers what the step says."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def log(self, label: str, message: str) -> None:
        self.messages.append(message)


@step("given-signatures", version="1")
def signatures(build: Build, files: dict[str, Rows]) -> None:
    """What `sign` would leave of the documents that quality keeps."""
    for name, rows in files.items():
        filled = [
            {
                "id": row["id"],
                "url": f"https://example.org/{row['id']}",
                "first_seen": row["first_seen"],
                "num_words": row["num_words"],
                "num_bytes": row["num_bytes"],
                "exact_hash": md5(bytes(row["text"])).digest(),
                "signature": np.array(row["text"], "<u4").tobytes(),
            }
            for row in rows
            if row["kept"]
        ]
        build.add_table(name, pa.Table.from_pylist(filled, SIGNATURES))


@step("given-decisions", version="1")
def decisions(build: Build, files: dict[str, Rows]) -> None:
    for name, rows in files.items():
        table = pa.table({"id": [r["id"] for r in rows], "kept": [r["kept"] for r in rows]})
        build.add_table(name, table)


@step("given-scores", version="1")
def scores(build: Build, files: dict[str, Rows]) -> None:
    for name, rows in files.items():
        points = pa.array([row["points"] for row in rows], pa.float64())
        build.add_table(name, pa.table({"id": [row["id"] for row in rows], "points": points}))


def run(store: Store, corpus: Corpus, config: DedupConfig) -> tuple[Manifest, list[str]]:
    """Decide on a corpus; what was written, and said."""
    listener = Listener()
    with session(
        store, flow="test", preset="test", config=config, workers=1, through_prefect=False,
        reporter=listener,
    ):  # fmt: skip
        makers = (signatures, decisions, *([scores] if config.keep_score else []))
        inputs: list[dict[str, ArtifactRef]] = [
            {source: make(files, label=source) for source, files in corpus.items()}
            for make in makers
        ]
        signed, decided, *scored = inputs
        ref = dedup(signed, decided, config, *scored)
    return store.manifest_of(ref), listener.messages


# ---- a corpus that changes


def draw_rows(rng: np.random.Generator, texts: list[list[int]], number: int, day: int) -> Rows:
    """Documents with texts of their own, those of others, and some in between."""
    rows = []
    kept_share = 0.9 if rng.random() < 0.8 else 0.0
    for _ in range(number):
        text = rng.integers(0, 3, ENTRIES).tolist()
        if texts and rng.random() < 0.6:
            text = list(texts[rng.integers(len(texts))])
            for entry in rng.integers(0, ENTRIES, rng.integers(0, 6)):
                text[entry] = int(rng.integers(0, 3))
        texts.append(text)
        rows.append(
            {
                "id": f"{rng.integers(2**32):08x}",
                "first_seen": f"2026-01-{day:02d}" if rng.random() < 0.8 else "",
                "num_words": 50 if sum(text[:2]) else 3,  # equal texts have equally many
                "num_bytes": int(rng.integers(0, 4)),
                "points": None if rng.random() < 0.2 else int(rng.integers(0, 3)),
                "kept": bool(rng.random() < kept_share),
                "text": text,
            }
        )
    return rows


def draw_months(seed: int) -> list[Corpus]:
    """A corpus of two sources or more month by month: files come, go, and change in a row."""
    rng = np.random.default_rng(seed)
    texts: list[list[int]] = []
    now: Corpus = {
        source: {f"{n:05d}.parquet": draw_rows(rng, texts, 5, 1) for n in range(4)}
        for source in ("mail", "web")
    }
    months = [now]
    for month in range(2, 4):
        now = {source: dict(files) for source, files in now.items()}
        source = str(rng.choice(sorted(now)))
        names = sorted(now[source])
        match rng.integers(0, 7):
            case 0:
                now[f"books{month}"] = {"00000.parquet": draw_rows(rng, texts, 3, month)}
            case 1 if len(names) > 1:
                del now[source][rng.choice(names)]
            case 2:
                now[source]["99999.parquet"] = now[source].pop(names[0])  # another name
            case 3:  # the same documents again, as in a file without addresses
                now[source][f"{10 * month + 5:05d}.parquet"] = now[source][names[-1]]
            case 4:
                changed = str(rng.choice(names))
                rows = [dict(row) for row in now[source][changed]]
                rows[0] |= draw_rows(rng, texts, 1, month)[0]
                now[source][changed] = rows
            case _:
                now[source][f"{10 * month:05d}.parquet"] = draw_rows(rng, texts, 4, month)
        months.append(now)
    return months


def settings_of(keep: str, max_compared: int, num_rows: int) -> DedupConfig:
    return DedupConfig.model_validate(
        {
            "signature": SignatureConfig(num_permutations=ENTRIES),
            "num_bands": BANDS,
            "num_rows": num_rows,
            "min_similarity": 0.6,
            "max_compared": max_compared,
            "keep": keep,
            "keep_score": "points" if keep == "best_score" else "",
            "preferred_sources": ["web"] if keep == "preferred_source" else [],
        }
    )


@settings(max_examples=8, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["longest", "oldest", "newest", "best_score", "preferred_source"]),
    st.sampled_from([1, 2, 200]),
    st.sampled_from([3, 4]),
)
def test_a_refresh_gives_what_one_run_gives(
    seed: int, keep: str, max_compared: int, num_rows: int
) -> None:
    """Whatever came, went or changed, and whoever is kept: every file and every count."""
    config = settings_of(keep, max_compared, num_rows)
    with TemporaryDirectory() as folder:
        growing = Store(f"{folder}/growing")
        for month, corpus in enumerate(draw_months(seed)):
            refreshed, said = run(growing, corpus, config)
            at_once, _ = run(Store(f"{folder}/{month}"), corpus, config)
            assert refreshed.files == at_once.files
            assert refreshed.counts == at_once.counts
            is_built = bool(said)  # a corpus that was there before is only found again
            assert any("decided before" in line for line in said) == (is_built and month > 0)


def document(name: str, *parts: int, kept: bool = True) -> dict[str, Any]:
    """Four bands, each of four equal entries."""
    text = [part for part in parts for _ in range(ENTRIES // BANDS)]
    return {
        "id": name, "first_seen": "2026-01-01", "num_words": 50, "num_bytes": 9 - ord(name[0]) % 9,
        "points": 0, "kept": kept, "text": text,
    }  # fmt: skip


# Neighbourhoods a+b and c+d; e is alone.
OLD: Corpus = {
    "web": {
        "0.parquet": [document("a", 1, 2, 3, 4), document("e", 9, 9, 9, 9)],
        "1.parquet": [document("b", 1, 2, 3, 5), document("x", 1, 2, 3, 4, kept=False)],
        "2.parquet": [document("c", 6, 7, 8, 1), document("d", 6, 7, 8, 2)],
    }
}
CONFIG = settings_of("longest", 200, 4)


def with_file(name: str, *rows: dict[str, Any]) -> Corpus:
    return {"web": OLD["web"] | {name: list(rows)}}


@pytest.mark.parametrize(
    ("newcomer", "again"),
    [
        (document("n", 5, 6, 1, 7), 0),  # equal entries in other bands do not count
        (document("n", 9, 1, 1, 8), 1),  # e
        (document("n", 6, 1, 1, 8), 2),  # c, d
        (document("n", 6, 2, 1, 8), 4),  # joins the two
    ],
)
def test_only_the_neighbourhoods_that_a_newcomer_enters_are_decided_again(
    tmp_path: Path, newcomer: dict[str, Any], again: int
) -> None:
    store = Store(str(tmp_path))
    run(store, OLD, CONFIG)
    _, said = run(store, with_file("3.parquet", newcomer), CONFIG)
    assert f"documents new: 1, decided before: 5, of these again: {again}" in said


def test_a_file_without_a_document_to_decide_on_is_taken_in(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    before, _ = run(store, OLD, CONFIG)
    after, said = run(store, with_file("3.parquet", document("n", 1, 2, 3, 4, kept=False)), CONFIG)
    assert "documents new: 0, decided before: 5, of these again: 0" in said
    assert after.counts == before.counts
    assert set(before.files) - set(after.files) == {before.files[-1]}  # what was read


def test_a_file_under_another_name_is_the_same_file(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    run(store, OLD, CONFIG)
    renamed = {name.replace(".", "0."): rows for name, rows in OLD["web"].items()}
    _, said = run(store, {"web": renamed}, CONFIG)
    assert "documents new: 0, decided before: 5, of these again: 0" in said
    _, said = run(store, {"mail": renamed}, CONFIG)  # another source is another matter
    assert not any("decided before" in line for line in said)


def test_files_in_another_order_are_others(tmp_path: Path) -> None:
    """Of two documents with one id, the order of their files says which is kept."""
    twice = document("a", 1, 2, 3, 4)
    first, second = [twice, document("b", 5, 5, 5, 5)], [twice, document("c", 6, 6, 6, 6)]
    files = {"4": [document("d", 7, 7, 7, 7)], "5": [document("e", 8, 8, 8, 8)]}
    growing = Store(str(tmp_path / "growing"))
    run(growing, {"web": {"0": first, "1": second, **files}}, CONFIG)
    turned: Corpus = {"web": {"0": second, "1": first, **files}}
    after, said = run(growing, turned, CONFIG)
    at_once, _ = run(Store(str(tmp_path / "at_once")), turned, CONFIG)
    assert any("decided before: 4" in line for line in said)
    assert after.files == at_once.files


@pytest.mark.parametrize("harm", ["gone", "damaged"])
@pytest.mark.parametrize("name", ["web/0.parquet", "clusters.parquet", "_inputs.parquet"])
def test_an_earlier_run_that_is_not_whole_is_no_help(tmp_path: Path, harm: str, name: str) -> None:
    """It is a memo: without it all is decided anew."""
    store = Store(str(tmp_path))
    before, _ = run(store, OLD, CONFIG)
    entry = next(entry for entry in before.files if entry.name == name)
    blob = tmp_path / store.blob_name(entry.blob)
    blob.unlink()
    if harm == "damaged":
        blob.write_bytes(b"\0" * entry.bytes)
    after, said = run(store, with_file("3.parquet", document("n", 1, 2, 3, 6)), CONFIG)
    assert not any("decided before" in line for line in said)
    assert after.counts.read == 6
    assert store.missing(after) == []


def test_of_several_earlier_runs_the_one_that_shares_most_helps(tmp_path: Path) -> None:
    """Such as a trial that came between."""
    store = Store(str(tmp_path))
    run(store, OLD, CONFIG)
    trial: Corpus = {"web": {"0.parquet": OLD["web"]["0.parquet"]}}
    run(store, trial, CONFIG)
    _, said = run(store, with_file("3.parquet", document("n", 1, 2, 3, 6)), CONFIG)
    assert any("decided before: 5," in line for line in said)


def test_a_corpus_that_is_mostly_new_is_decided_at_once(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    run(store, {"web": {"0.parquet": OLD["web"]["0.parquet"]}}, CONFIG)
    _, said = run(store, OLD, CONFIG)
    assert not any("decided before" in line for line in said)
