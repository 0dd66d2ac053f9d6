"""Dedup's settings and what they refuse."""

from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from pipeline_config.dedup import DedupConfig
from pipeline_config.edits import C4LineRules
from pipeline_config.load import ConfigError, load_config
from pipeline_config.quality import ScoreConfig
from pipeline_config.signals import SIGNALS
from tasks.dedup.lsh import collision_probability
from tasks.quality.score import score_texts


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"num_bands": 20, "num_rows": 8},
            r"num_bands \(20\) x num_rows \(8\) needs 160 signature entries, there are 128; "
            r"set num_bands to 16 or less, or signature.num_permutations to 160",
        ),
        ({"keep": "preferred_source"}, "keep: preferred_source and preferred_sources go together"),
        ({"preferred_sources": ["docs"]}, "keep is 'longest' and preferred_sources is"),
        ({"keep": "best_score"}, "keep: best_score and keep_score go together"),
        ({"keep": "newest", "keep_score": "language_score"}, "keep: best_score and keep_score"),
        ({"min_similarity": 0.0}, "greater than 0"),
        (
            {"cluster_similarity": 0.7},
            r"cluster_similarity \(0.7\) is above min_similarity \(0.65\).* to 0.65 or less",
        ),
        ({"num_band": 20}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DedupConfig.model_validate(settings)


def test_clusters_hold_all_duplicates_whatever_the_threshold() -> None:
    assert DedupConfig().cluster_similarity == 0.5
    assert DedupConfig(min_similarity=0.4).cluster_similarity == 0.4


def test_the_defaults_find_pairs_as_often_as_said() -> None:
    config = DedupConfig()
    found = [
        round(collision_probability(at, config.num_bands, config.num_rows), 4)
        for at in (0.5, 0.6, 0.7)
    ]
    assert found == [0.8732, 0.9882, 0.9998]


@pytest.mark.parametrize(
    ("settings", "num_bands", "num_rows"),
    [
        ({}, 32, 4),
        ({"min_similarity": 0.5}, 42, 3),  # 1 - (1 - 0.125) ** 42 = 0.996; with 4 rows 0.87
        ({"min_similarity": 0.8}, 21, 6),  # 1 - (1 - 0.262) ** 21 = 0.998; with 7 rows 0.986
        ({"min_similarity": 0.01}, 128, 1),  # not even one row finds enough
        ({"signature": {"num_permutations": 1024}, "min_similarity": 0.3}, 256, 3),
        ({"num_bands": 14}, 14, 4),
        ({"num_rows": 8}, 16, 8),
    ],
)
def test_bands_and_rows_are_chosen_by_the_threshold(
    settings: dict[str, Any], num_bands: int, num_rows: int
) -> None:
    config = DedupConfig.model_validate(settings)
    assert (config.num_bands, config.num_rows) == (num_bands, num_rows)


def test_a_wrong_threshold_is_told_first() -> None:
    with pytest.raises(ValidationError) as caught:
        DedupConfig.model_validate({"min_similarity": -1})
    assert caught.value.errors()[0]["loc"] == ("min_similarity",)


def test_a_score_may_be_that_of_a_classifier() -> None:
    config = DedupConfig(keep="best_score", keep_score="classifier_prose")
    assert config.keep_classifier == "prose"
    assert DedupConfig(keep="best_score", keep_score="language_score").keep_classifier == ""


@pytest.mark.parametrize(
    ("name", "hint"),
    [("language_scores", "did you mean language_score?"), ("zzz", "there are: num_chars, ")],
)
def test_the_score_that_decides_is_one_that_is_measured(name: str, hint: str) -> None:
    settings = ["dedup.keep=best_score", f"dedup.keep_score={name}"]
    with pytest.raises(ConfigError) as caught:
        load_config("demo", settings)
    assert str(caught.value).startswith(
        f"--set dedup.keep_score={name}: dedup.keep_score is '{name}', which quality does not "
        f"measure; {hint}"
    )


def test_the_names_of_signals_are_those_of_the_stage() -> None:
    measured = score_texts(pa.chunked_array([["A text."]]), ScoreConfig(), C4LineRules()).schema
    assert list(SIGNALS) == [field.name for field in measured if field.type != pa.string()]
