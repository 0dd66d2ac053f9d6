"""Which of two duplicates the refresh keeps, by a signal of quality or a classifier."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from small_run import note

from flows.refresh_corpus import refresh_corpus
from pipeline_config.pipeline import PipelineConfig
from storage.session import planning, session
from storage.store import Store
from storage.tables import read_table


def settings(folder: Path, **keys: Any) -> PipelineConfig:
    """Two sources: the same ten notes, those of `wordy` with short words at the end."""
    for source, more in (("plain", ""), ("wordy", " So it is, as we all do say.")):
        (folder / source).mkdir(exist_ok=True)
        for number in range(10):
            (folder / source / f"{number}.txt").write_text(note(number) + more)
    sources = {n: {"kind": "text", "paths": [str(folder / n)]} for n in ("plain", "wordy")}
    return PipelineConfig.model_validate({"crawl": {"sources": sources}} | keys)


def test_a_signal_of_quality_says_who_is_kept(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    longest = settings(tmp_path, dedup={"min_similarity": 0.3})
    best = {"min_similarity": 0.3, "keep": "best_score", "keep_score": "mean_word_length"}
    with session(
        store, flow="test", preset="test", config=longest, workers=1, through_prefect=False
    ):
        for config, source in ((longest, "wordy"), (settings(tmp_path, dedup=best), "plain")):
            files = store.manifest_of(refresh_corpus(config)).files
            tables = [read_table(store.blob_path(entry)) for entry in files]
            assert {name for table in tables for name in table["source"].to_pylist()} == {source}


def test_a_classifier_says_who_is_kept_and_is_asked_once(tmp_path: Path) -> None:
    classifier = {"positives": {"sources": ["plain"]}, "negatives": {"sources": ["wordy"]}}
    config = settings(
        tmp_path,
        quality={"classifiers": {"prose": classifier}},
        dedup={"keep": "best_score", "keep_score": "classifier_prose"},
    )
    with planning(Store(str(tmp_path / "store")), flow="test", preset="test") as plan:
        refresh_corpus(config)
    names = [row.name for row in plan.rows]
    assert names.count("classify/prose/plain") == 1
    assert "dedup" in names


def test_an_unknown_classifier_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="has no 'prose'; there are: none"):
        settings(tmp_path, dedup={"keep": "best_score", "keep_score": "classifier_prose"})
