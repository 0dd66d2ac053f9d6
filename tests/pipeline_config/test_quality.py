"""Quality's settings: defaults, sparse overrides per source, and mistakes in one line."""

from pathlib import Path

import pytest

from pipeline_config.base import StageConfig
from pipeline_config.load import ConfigError, load_preset
from pipeline_config.quality import GopherQualityRules, QualityConfig, ScoreConfig


class Pipeline(StageConfig):
    quality: QualityConfig = QualityConfig()


PRESET = """\
quality:
  gopher_quality:
    min_words: 30
  sources:
    code:
      gopher_quality:
        min_stop_words: null
      language: {enabled: false}
"""


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(PRESET)
    return path


def load(path: Path, *sets: str) -> QualityConfig:
    return load_preset(str(path), sets, Pipeline).quality


def test_a_source_differs_only_in_the_keys_it_gives(preset: Path) -> None:
    config = load(preset)
    code = config.for_source("code")
    assert code.gopher_quality == GopherQualityRules(min_words=30, min_stop_words=None)
    assert (code.language.enabled, code.language.min_score) == (False, 0.65)
    assert code.gopher_repetition == config.gopher_repetition
    assert config.for_source("docs").gopher_quality == GopherQualityRules(min_words=30)


def test_a_key_given_with_the_default_value_still_overrides(preset: Path) -> None:
    config = load(preset, "quality.sources.code.gopher_quality.min_words=50")
    assert config.for_source("code").gopher_quality.min_words == 50


def test_overrides_from_the_command_line_reach_a_source(preset: Path) -> None:
    config = load(preset, "quality.sources.docs.gopher_repetition.max_dup_line_fraction=0.6")
    assert config.for_source("docs").gopher_repetition.max_dup_line_fraction == 0.6
    assert config.for_source("code").gopher_repetition.max_dup_line_fraction == 0.3


def test_a_source_can_be_measured_otherwise(preset: Path) -> None:
    french = ("le", "de", "et")
    config = load(
        preset,
        "quality.score.short_line_chars=40",
        "quality.sources.french.score.stop_words=[le, de, et]",
        "quality.sources.french.language.languages=[fr]",
    )
    assert config.score_of("french") == ScoreConfig(stop_words=french, short_line_chars=40)
    assert config.score_of("code") == config.score_of("docs") == config.score
    assert config.for_source("french").language.languages == ("fr",)
    assert config.for_source("french").gopher_quality == GopherQualityRules(min_words=30)
    assert QualityConfig.model_validate(config.model_dump()) == config


def test_rules_for_web_pages_can_be_on_for_one_source(preset: Path) -> None:
    config = load(
        preset,
        "quality.sources.docs.c4.enabled=true",
        "quality.sources.docs.fineweb={enabled: true, version: v2}",
    )
    docs, code = config.for_source("docs"), config.for_source("code")
    assert (docs.c4.enabled, docs.c4.min_sentences) == (True, 5)
    assert (docs.fineweb.enabled, docs.fineweb.version) == (True, "v2")
    assert (code.c4.enabled, code.fineweb.enabled) == (False, False)


def test_what_is_written_reads_back_as_it_was(preset: Path) -> None:
    config = load(preset)
    written = config.model_dump(mode="json")
    assert written["sources"] == {
        "code": {"language": {"enabled": False}, "gopher_quality": {"min_stop_words": None}}
    }
    again = QualityConfig.model_validate(written)
    assert again.model_dump(mode="json") == written
    changed = again.model_copy(update={"gopher_quality": GopherQualityRules(min_words=9)})
    assert changed.for_source("code").gopher_quality.min_words == 9


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("quality.gopher_quality.min_wrods=5", ("min_wrods", "min_words")),
        ("quality.sources.code.gopher_quality.min_wrods=5", ("sources.code", "min_wrods")),
        ("quality.sources.code.gopher_repetiton.max_dup_line_fraction=1", ("gopher_repetiton",)),
        ("quality.gopher_quality.min_words=many", ("min_words", "many")),
        ("quality.sources.code.language.min_score=2", ("sources.code.language.min_score", "2")),
        (
            "quality.sources.code.gopher_quality.max_words=10",
            ("sources.code.gopher_quality.min_words (30) is above max_words (10)",),
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(preset: Path, override: str, said: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(preset, override)
    message = str(caught.value)
    assert "\n" not in message
    for part in said:
        assert part in message
