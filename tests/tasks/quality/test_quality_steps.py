"""The steps score and decide over artifacts: what the files hold, the counts, the errors."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from pipeline_config.edits import C4LineRules
from pipeline_config.quality import QualityConfig, QualityRules, ScoreConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.documents import DOCUMENT_SCHEMA
from storage.session import Session, session
from storage.steps import step
from storage.store import Store
from storage.tables import read_table
from tasks.quality.fineweb import plain_fineweb_signals
from tasks.quality.gopher_quality import plain_quality_signals
from tasks.quality.gopher_repetition import plain_repetition_signals
from tasks.quality.score import blocks, score_texts
from tasks.quality.task import decide, score

GOOD = (
    "The keeper of the lighthouse has lived alone with the sea for eleven winters. Every evening "
    "he climbs two hundred steps to light the lamp, and every morning he writes down what he saw: "
    "sails, weather, a seal on the rocks. Nobody reads these books. They fill a shelf that his "
    "father built, and one day they will be all that is left to tell how it was."
)
REPEATED = "\n".join(["The same line of text that we have to read again and again."] * 6)
TEXTS = [GOOD, "too short to be kept", REPEATED]


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """One session for all tests here: starting workers is what takes time."""
    store = Store(str(tmp_path_factory.mktemp("store")))
    with session(
        store, flow="test", preset="test", config=ScoreConfig(), workers=1, through_prefect=False
    ) as current:
        yield current


@step("documents", version="1")
def documents(build: Build, texts: list[str]) -> None:
    plain: dict[str, Any] = dict.fromkeys(DOCUMENT_SCHEMA.names, "") | {"warc_offset": -1}
    for shard, start in enumerate(range(0, max(len(texts), 1), 2)):
        rows = [
            plain | {"id": f"d{start + row}", "text": text}
            for row, text in enumerate(texts[start : start + 2])
        ]
        build.add_table(f"{shard:05d}.parquet", pa.Table.from_pylist(rows, DOCUMENT_SCHEMA))


@pytest.fixture(scope="module")
def scores(direct: Session) -> ArtifactRef:
    return score(documents(TEXTS), ScoreConfig(), C4LineRules(), label="docs")


def rows(session: Session, ref: ArtifactRef) -> list[dict[str, Any]]:
    files = session.store.manifest_of(ref).files
    return [
        row for entry in files for row in read_table(session.store.blob_path(entry)).to_pylist()
    ]


def test_scores_are_rows_beside_the_documents(direct: Session, scores: ArtifactRef) -> None:
    manifest = direct.store.manifest_of(scores)
    assert [(entry.name, entry.rows) for entry in manifest.files] == [
        ("00000.parquet", 2),
        ("00001.parquet", 1),
    ]
    assert (manifest.counts.read, manifest.counts.kept) == (3, 3)
    for row, text in zip(rows(direct, scores), TEXTS, strict=True):
        expected = plain_quality_signals(text, ScoreConfig().stop_words)
        expected |= plain_repetition_signals(text)
        expected |= plain_fineweb_signals(text, ScoreConfig().short_line_chars)
        assert {name: row[name] for name in expected} == expected
        assert row["language"] == "en"


def test_decisions_name_the_first_rule_failed(direct: Session, scores: ArtifactRef) -> None:
    ref = decide(scores, {}, {}, QualityConfig().for_source("docs"), label="docs")
    found = rows(direct, ref)
    assert [row["id"] for row in found] == ["d0", "d1", "d2"]
    assert [row["kept"] for row in found] == [True, False, False]
    assert [row["reason"] for row in found] == ["", "gopher_short_doc", "gopher_dup_line"]
    counts = direct.store.manifest_of(ref).counts
    assert (counts.read, counts.kept) == (3, 1)
    assert counts.dropped == {"gopher_short_doc": 1, "gopher_dup_line": 1}
    assert counts.extra["failing"]["gopher_dup_line"] == 1
    assert counts.extra["failing"]["gopher_dup_line_char"] == 1
    assert counts.extra["failing"]["gopher_long_doc"] == 0


def test_a_source_decides_by_its_own_limits(direct: Session, scores: ArtifactRef) -> None:
    short = {"gopher_quality": {"min_words": 3}, "gopher_repetition": {"enabled": False}}
    config = QualityConfig.model_validate({"sources": {"notes": short}})
    kept = {
        name: [row["kept"] for row in rows(direct, decide(scores, {}, {}, config.for_source(name)))]
        for name in ("docs", "notes")
    }
    assert kept == {"docs": [True, False, False], "notes": [True, True, True]}


def test_limits_of_another_source_do_not_decide_again(direct: Session, scores: ArtifactRef) -> None:
    changed = QualityConfig.model_validate(
        {"sources": {"mail": {"gopher_quality": {"min_words": 1}}}}
    )
    before = decide(scores, {}, {}, QualityConfig().for_source("docs"), label="docs")
    assert decide(scores, {}, {}, changed.for_source("docs"), label="docs").recipe == before.recipe


def test_a_source_that_keeps_nothing_fails_with_its_funnel(
    direct: Session, scores: ArtifactRef
) -> None:
    config = QualityConfig.model_validate({"gopher_quality": {"min_words": 1000}})
    with pytest.raises(
        ValueError,
        match=r"decide/docs keeps nothing: read 3, kept 0, dropped 3 \(gopher_short_doc 3\)",
    ):
        decide(scores, {}, {}, config.for_source("docs"), label="docs")


def test_rules_of_one_source_decide_by_the_same_scores(
    direct: Session, scores: ArtifactRef
) -> None:
    def rules(min_sentences: int) -> QualityRules:
        c4 = {"enabled": True, "min_sentences": min_sentences}
        return QualityConfig.model_validate({"sources": {"docs": {"c4": c4}}}).for_source("docs")

    kept = decide(scores, {}, {}, rules(4), label="docs")  # as many as the good text has
    assert [row["kept"] for row in rows(direct, kept)] == [True, False, False]
    assert direct.store.manifest_of(kept).counts.extra["failing"]["c4_few_sentences"] == 1
    with pytest.raises(ValueError, match="c4_few_sentences 1"):
        decide(scores, {}, {}, rules(5), label="docs")


def test_nothing_to_score_fails(direct: Session) -> None:
    with pytest.raises(ValueError, match="score/docs has nothing to score"):
        score(documents([]), ScoreConfig(), C4LineRules(), label="docs")


def test_many_documents_are_scored_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.quality.score.BLOCK_CHARACTERS", 1000)
    texts = [GOOD[number:] * (number % 3) for number in range(131)]
    column = pa.chunked_array([texts[:70], texts[70:]])
    cut = list(blocks(column))
    assert [text for own in cut for text in own] == texts
    assert len(cut) > 20
    together = score_texts(column, ScoreConfig(), C4LineRules())
    for row in (0, 1, 64, len(texts) - 1):
        alone = score_texts(pa.chunked_array([[texts[row]]]), ScoreConfig(), C4LineRules())
        assert together.slice(row, 1).to_pylist() == alone.to_pylist()


def test_stop_words_are_what_the_config_says() -> None:
    config = ScoreConfig(stop_words=("der", "die", "das"))
    scored = score_texts(
        pa.chunked_array([["der Mann, die Frau und der Hund", "the Der"]]), config, C4LineRules()
    )
    assert scored["num_stop_words"].to_pylist() == [2, 0]
