"""A source in another language is measured by its own stop words."""

from pathlib import Path
from typing import Any

import pytest
from small_run import note

from flows.refresh_corpus import refresh_corpus
from pipeline_config.pipeline import PipelineConfig
from storage.session import session
from storage.store import Store

NUM_NOTES = 6
FRENCH = {"the": "le", "of": "de", "have": "ont", "that": "que", "and": "et", "with": "avec"}


def settings(folder: Path, **french: Any) -> PipelineConfig:
    sources = {n: {"kind": "text", "paths": [str(folder / n)]} for n in ("english", "french")}
    quality = {"language": {"enabled": False}, "sources": {"french": french}}
    return PipelineConfig.model_validate({"crawl": {"sources": sources}, "quality": quality})


def write(folder: Path) -> None:
    for source in ("english", "french"):
        (folder / source).mkdir()
    for number in range(NUM_NOTES):
        words = note(number).lower().split()
        (folder / "english" / f"{number}.txt").write_text(" ".join(words))
        words = [FRENCH.get(word, word) for word in note(100 + number).lower().split()]
        (folder / "french" / f"{number}.txt").write_text(" ".join(words))


def test_stop_words_of_one_source(tmp_path: Path) -> None:
    write(tmp_path)
    store = Store(str(tmp_path / "store"))
    alike, own = settings(tmp_path), settings(tmp_path, score={"stop_words": ["le", "de", "et"]})
    with session(
        store, flow="test", preset="test", config=alike, workers=1, through_prefect=False
    ) as current:

        def kept(config: PipelineConfig) -> dict[str, int]:
            current.handles.clear()
            refresh_corpus(config)
            refs = {name: current.handles[f"decide/{name}"] for name in ("english", "french")}
            return {name: store.manifest_of(ref).counts.kept for name, ref in refs.items()}

        assert kept(own) == {"english": NUM_NOTES, "french": NUM_NOTES}
        scored = current.handles["score/english"]
        current.record.steps.clear()
        with pytest.raises(ValueError, match="gopher_stop_words 6"):
            kept(alike)
        assert current.handles["score/english"] == scored
        steps = {step.label: step.status for step in current.record.steps}
        assert (steps["score/english"], steps["score/french"]) == ("cached", "executed")
