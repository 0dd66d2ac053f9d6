"""Dedup's settings and what they refuse."""

from typing import Any

import pytest
from pydantic import ValidationError

from pipeline_config.dedup import DedupConfig
from tasks.dedup.lsh import collision_probability


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"num_bands": 20, "num_rows": 8},
            r"num_bands \(20\) x num_rows \(8\) needs 160 signature entries, there are 128; "
            r"set num_bands to 16 or less, or signature.num_permutations to 160",
        ),
        ({"keep": "preferred_source"}, "keep: preferred_source and a list of sources go together"),
        ({"preferred_sources": ["docs"]}, "keep is 'longest' and preferred_sources is"),
        ({"min_similarity": 0.0}, "greater than 0"),
        ({"num_band": 20}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DedupConfig.model_validate(settings)


def test_the_defaults_find_pairs_as_often_as_said() -> None:
    config = DedupConfig()
    found = [
        round(collision_probability(at, config.num_bands, config.num_rows), 4)
        for at in (0.5, 0.6, 0.7)
    ]
    assert found == [0.8732, 0.9882, 0.9998]
