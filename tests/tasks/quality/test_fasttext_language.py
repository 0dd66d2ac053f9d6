"""A small model trained here stands for lid.176."""

from pathlib import Path

import pyarrow as pa
import pytest

from pipeline_config.edits import C4LineRules
from pipeline_config.quality import (
    GopherQualityRules,
    GopherRepetitionRules,
    LanguageRules,
    QualityRules,
    ScoreConfig,
)
from storage.build import Build
from storage.documents import DOCUMENT_SCHEMA
from storage.session import Session
from storage.steps import step
from storage.tables import read_table
from tasks.quality.fasttext_language import identify
from tasks.quality.fasttext_training import train_apart
from tasks.quality.task import decide, score

SENTENCES = {
    "en": "The house at the end of the street has been empty for many years.",
    "de": "Das Haus am Ende der Straße steht seit vielen Jahren leer.",
    "fr": "La maison au bout de la rue est vide depuis de nombreuses années.",
}
TEXTS = list(SENTENCES.values())


@step("documents", version="1")
def documents(build: Build, texts: list[str]) -> None:
    plain = dict.fromkeys(DOCUMENT_SCHEMA.names, "") | {"warc_offset": -1}
    rows = [plain | {"id": str(row), "text": text} for row, text in enumerate(texts)]
    build.add_table("00000.parquet", pa.Table.from_pylist(rows, DOCUMENT_SCHEMA))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    lines = [f"__label__{code} {text}" for code, text in SENTENCES.items() for _ in range(30)]
    (folder / "examples").write_text("\n".join(lines), encoding="utf-8")
    settings = {"dim": 8, "lr": 0.5, "epoch": 20, "minn": 2, "maxn": 3, "bucket": 1_000}
    train_apart(folder / "examples", folder / "lid.bin", settings | {"thread": 1})
    return folder / "lid.bin"


def test_the_models_languages_are_found(model: Path) -> None:
    german = TEXTS[1].replace(" ", "\n")
    found = identify([*TEXTS, "", " \n", german, "__label__en"], str(model))
    assert found.languages[:6] == [*SENTENCES, "und", "und", "de"]
    assert found.scores[3:5].tolist() == [0, 0]
    assert found.scores[5] == found.scores[1] > 0.9
    assert found.scores.max() <= 1


def test_the_file_counts_by_its_content(direct: Session, model: Path, tmp_path: Path) -> None:
    texts = documents(TEXTS)

    def scored(path: Path) -> list[str]:
        config = ScoreConfig(language_model=str(path))
        scores = score(texts, config, C4LineRules(), label="docs")
        rules = QualityRules(
            language=LanguageRules(languages=("fr",)),
            gopher_quality=GopherQualityRules(enabled=False),
            gopher_repetition=GopherRepetitionRules(enabled=False),
        )
        decisions = decide(scores, {}, {}, rules, label="docs")
        [file] = direct.store.manifest_of(decisions).files
        found: list[str] = read_table(direct.store.blob_path(file)).column("reason").to_pylist()
        return found

    assert scored(model) == ["language_other", "language_other", ""]
    shards = direct.store.list_files("shards/score", deep=True)
    moved = tmp_path / "moved.bin"
    moved.write_bytes(model.read_bytes())
    assert scored(moved) == ["language_other", "language_other", ""]
    assert direct.store.list_files("shards/score", deep=True) == shards
    with pytest.raises(ValueError, match=r"language_model: .*gone.bin: No such file"):
        scored(tmp_path / "gone.bin")
