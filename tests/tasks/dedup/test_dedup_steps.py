"""The steps sign and dedup over artifacts: what the files hold, the counts, the errors."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline_config.dedup import DedupConfig, SignatureConfig
from storage.artifact import ArtifactRef, Manifest
from storage.build import Build
from storage.documents import DECISION_SCHEMA, DOCUMENT_SCHEMA
from storage.session import Session, session
from storage.shards import ShardOutput
from storage.steps import step
from storage.store import Store
from storage.tables import read_table, write_table
from tasks.dedup.minhash import plain_signature
from tasks.dedup.sign import sign_shard
from tasks.dedup.signed import read_signed, signed_files
from tasks.dedup.task import dedup, sign

STORY = "the quick brown fox jumps over the lazy dog and runs into the dark wood " * 3
OTHER = "a wholly different text about ships that sail the seven seas in all weathers " * 3
# id, text, first_seen, kept by quality; "a" is STORY but for its last word.
WEB = [
    ("c", STORY, "2024-01-01", True),
    ("x", "spam", "2024-01-01", False),
    ("a", STORY + "alone", "2024-03-01", True),
    ("s", "too short", "2024-01-01", True),
]
MAIL = [
    ("b", STORY.upper(), "2023-01-01", True),
    ("t", "Too  short", "", True),
    ("o", OTHER, "", True),
]
Rows = list[tuple[str, str, str, bool]]


def documents_table(source: str, rows: Rows) -> pa.Table:
    plain: dict[str, Any] = dict.fromkeys(DOCUMENT_SCHEMA.names, "") | {"warc_offset": -1}
    filled = [
        plain
        | {"id": id, "text": text, "first_seen": seen, "source": source, "url": f"{source}/{id}"}
        for id, text, seen, _ in rows
    ]
    return pa.Table.from_pylist(filled, DOCUMENT_SCHEMA)


def decisions_table(rows: Rows) -> pa.Table:
    filled = [
        {
            "id": id,
            "kept": kept,
            "reason": "" if kept else "spam",
            "duplicate_of": "",
            "similarity": 0,
        }
        for id, _, _, kept in rows
    ]
    return pa.Table.from_pylist(filled, DECISION_SCHEMA)


@step("documents", version="1")
def documents(build: Build, source: str, shard_rows: int) -> None:
    rows = {"web": WEB, "mail": MAIL}[source]
    for index in range(0, len(rows), shard_rows):
        build.add_table(
            f"{index:05d}.parquet", documents_table(source, rows[index : index + shard_rows])
        )


@step("decisions", version="1")
def decisions(build: Build, source: str, shard_rows: int, keep_all: bool = True) -> None:
    rows = {"web": WEB, "mail": MAIL}[source]
    for index in range(0, len(rows), shard_rows):
        own = [(*row[:3], row[3] and keep_all) for row in rows[index : index + shard_rows]]
        build.add_table(f"{index:05d}.parquet", decisions_table(own))


Sources = dict[str, ArtifactRef]


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """One session for all tests here: starting workers is what takes time."""
    store = Store(str(tmp_path_factory.mktemp("store")))
    with session(
        store, flow="test", preset="test", config=DedupConfig(), workers=1, through_prefect=False
    ) as current:
        yield current


@pytest.fixture(scope="module")
def signed(direct: Session) -> dict[str, Sources]:
    """Both sources, signed; web in two shards."""
    rows = {"web": 2, "mail": 3}
    decided = {source: decisions(source, rows[source]) for source in rows}
    signatures = {
        source: sign(documents(source, rows[source]), decided[source], SignatureConfig())
        for source in rows
    }
    return {"signatures": signatures, "decisions": decided}


def deduped(
    signed: dict[str, Sources], config: DedupConfig, scores: Sources | None = None
) -> ArtifactRef:
    return dedup(signed["signatures"], signed["decisions"], config, scores)


def tables(session: Session, ref: ArtifactRef) -> dict[str, pa.Table]:
    files = session.store.manifest_of(ref).files
    return {entry.name: read_table(session.store.blob_path(entry)) for entry in files}


def verdicts(session: Session, ref: ArtifactRef) -> dict[str, tuple[bool, str, str, str]]:
    """By id: kept, reason, duplicate_of, cluster."""
    columns = ("kept", "reason", "duplicate_of", "cluster")
    return {
        row["id"]: tuple(row[column] for column in columns)
        for name, table in tables(session, ref).items()
        if name.startswith(("web/", "mail/"))
        for row in table.to_pylist()
    }


def manifest(session: Session, ref: ArtifactRef) -> Manifest:
    return session.store.manifest_of(ref)


def test_a_shard_is_signed_row_by_row_without_what_quality_dropped(tmp_path: Path) -> None:
    write_table(tmp_path / "documents", documents_table("web", WEB))
    write_table(tmp_path / "decisions", decisions_table(WEB))
    out = ShardOutput("00007", None, tmp_path)
    config = SignatureConfig(num_permutations=16, seed=3)
    sign_shard([tmp_path / "documents", tmp_path / "decisions"], config, out)
    name, path, rows, _ = out.files[0]
    table = read_table(path)
    assert (name, rows, out.counts.kept) == ("00007.parquet", 3, 3)
    assert table["id"].to_pylist() == ["c", "a", "s"]
    assert table["num_words"].to_pylist() == [45, 46, 2]
    assert table["num_bytes"].to_pylist() == [len(STORY), len(STORY) + 5, 9]
    expected = plain_signature(STORY, shingle_words=5, num_permutations=16, seed=3)
    assert table["signature"][0].as_py() == expected.astype("<u4").tobytes()


def test_decisions_about_other_documents_are_refused(tmp_path: Path) -> None:
    write_table(tmp_path / "documents", documents_table("web", WEB))
    write_table(tmp_path / "decisions", decisions_table(MAIL))
    with pytest.raises(ValueError, match="decides on other documents"):
        sign_shard(
            [tmp_path / "documents", tmp_path / "decisions"],
            SignatureConfig(),
            ShardOutput("00000", None, tmp_path),
        )


def test_duplicates_are_found_across_sources(direct: Session, signed: dict[str, Sources]) -> None:
    ref = deduped(signed, DedupConfig())  # the longest is kept: "a"
    found = verdicts(direct, ref)
    assert found == {
        "a": (True, "", "", "b"),  # "b" was seen first
        "b": (False, "near_duplicate", "a", "b"),
        "c": (False, "near_duplicate", "a", "b"),
        "s": (False, "exact_duplicate", "t", "s"),  # "t" has one space more
        "t": (True, "", "", "s"),
        "o": (True, "", "", "o"),
        "x": (False, "quality", "", "x"),
    }

    by_name = tables(direct, ref)
    assert [name for name in by_name if not name.startswith("_")] == [
        "mail/00000.parquet",
        "web/00000.parquet",
        "web/00002.parquet",
        "clusters.parquet",
    ]
    assert by_name["web/00000.parquet"]["id"].to_pylist() == ["c", "x"]
    assert by_name["web/00002.parquet"]["id"].to_pylist() == ["a", "s"]
    counts = manifest(direct, ref).counts
    assert (counts.read, counts.kept) == (6, 3)
    assert counts.dropped == {"exact_duplicate": 1, "near_duplicate": 2}
    assert counts.extra["by_source"] == {
        "mail": {"kept": 2, "near_duplicate": 1},
        "web": {"kept": 1, "near_duplicate": 1, "exact_duplicate": 1},
    }
    assert counts.extra["clusters"] == 2
    assert counts.extra["largest_clusters"][0] == {"cluster": "b", "documents": 3}


def test_clusters_list_the_kept_first(direct: Session, signed: dict[str, Sources]) -> None:
    ref = deduped(signed, DedupConfig())
    clusters = tables(direct, ref)["clusters.parquet"].to_pylist()
    assert [(row["cluster"], row["id"], row["source"], row["url"]) for row in clusters[:3]] == [
        ("b", "a", "web", "web/a"),
        ("b", "b", "mail", "mail/b"),
        ("b", "c", "web", "web/c"),
    ]
    assert [row["kept"] for row in clusters] == [True, False, False, True, False]
    assert clusters[1]["similarity"] == clusters[2]["similarity"] >= 0.65
    assert clusters[4]["similarity"] == 1.0


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        (DedupConfig(keep="oldest"), "b"),
        (DedupConfig(keep="newest"), "a"),
        (DedupConfig(keep="preferred_source", preferred_sources=("mail",)), "b"),
        (DedupConfig(keep="preferred_source", preferred_sources=("web", "mail")), "a"),
    ],
)
def test_the_policy_says_who_is_kept(
    direct: Session, signed: dict[str, Sources], config: DedupConfig, kept: str
) -> None:
    found = verdicts(direct, deduped(signed, config))
    assert {id for id in "abc" if found[id][0]} == {kept}
    assert {found[id][3] for id in "abc"} == {"b"}  # the cluster's name does not move


def test_texts_have_offsets_that_reach_beyond_67_million_ids(
    direct: Session, signed: dict[str, Sources]
) -> None:
    read: list[pa.Schema] = []

    @step("read", version="1")
    def reads(build: Build, signatures: Sources) -> None:
        files = signed_files(build, signatures, signed["decisions"], None)
        rows = {file.path: np.arange(file.signatures.rows) for file in files}
        read.append(read_signed(build, files, rows)[0].schema)
        build.add_json("none", {})

    reads(signed["signatures"])
    [schema] = read
    assert {schema.field(name).type for name in ("id", "url")} == {pa.large_string()}
    assert {schema.field(name).type for name in ("source", "first_seen")} == {
        pa.dictionary(pa.int32(), pa.large_string())
    }


@step("scores", version="1")
def scores(build: Build, source: str, shard_rows: int, name: str = "points") -> None:
    """One more point for each row, from "mail" on."""
    points = {"web": range(4), "mail": range(-3, 0)}[source]
    rows = {"web": WEB, "mail": MAIL}[source]
    for index in range(0, len(rows), shard_rows):
        own = slice(index, index + shard_rows)
        ids = [row[0] for row in rows[own]]
        build.add_table(
            f"{index:05d}.parquet",
            pa.table({"id": ids, name: list(points[own]), "language": ["en"] * len(ids)}),
        )


def test_the_best_score_is_kept(direct: Session, signed: dict[str, Sources]) -> None:
    by_source = {"web": scores("web", 2), "mail": scores("mail", 3)}
    config = DedupConfig(keep="best_score", keep_score="points")
    found = verdicts(direct, deduped(signed, config, by_source))
    assert {id for id in found if found[id][0]} == {"a", "s", "o"}  # 2, 3 and -1 points
    assert found["t"][1:3] == ("exact_duplicate", "s")


def test_a_classifiers_score_stands_in_the_column_score(
    direct: Session, signed: dict[str, Sources]
) -> None:
    by_source = {"web": scores("web", 2, "score"), "mail": scores("mail", 3, "score")}
    config = DedupConfig(keep="best_score", keep_score="classifier_prose")
    found = verdicts(direct, deduped(signed, config, by_source))
    assert {id for id in found if found[id][0]} == {"a", "s", "o"}


def test_an_unknown_score_is_refused_with_those_there(signed: dict[str, Sources]) -> None:
    by_source = {"web": scores("web", 2), "mail": scores("mail", 3)}
    config = DedupConfig(keep="best_score", keep_score="language")
    with pytest.raises(ValueError, match=r"no signal 'language' .* to one of points"):
        deduped(signed, config, by_source)
    with pytest.raises(ValueError, match="mail: no scores to keep by"):
        deduped(signed, config)


def test_the_order_of_the_sources_changes_nothing(
    direct: Session, signed: dict[str, Sources]
) -> None:
    turned = {key: dict(reversed(refs.items())) for key, refs in signed.items()}
    assert deduped(signed, DedupConfig()) == deduped(turned, DedupConfig())


def test_signatures_and_decisions_that_do_not_match_are_refused(
    direct: Session, signed: dict[str, Sources]
) -> None:
    other = signed["decisions"] | {"mail": decisions("mail", 3, keep_all=False)}
    with pytest.raises(
        ValueError, match=r"mail/00000\.parquet: 3 documents are signed, the decisions keep 0"
    ):
        dedup(signed["signatures"], other, DedupConfig())


def test_nothing_to_sign_fails_with_the_funnel(direct: Session) -> None:
    with pytest.raises(ValueError, match="sign/mail signs nothing: read 0, kept 0"):
        sign(
            documents("mail", 3),
            decisions("mail", 3, keep_all=False),
            SignatureConfig(),
            label="mail",
        )
