"""The settings that a report holds: those of the manifests, told once."""

from typing import Any

from storage.artifact import Counts, Manifest
from tasks.report.contents import StepSettings
from tasks.report.settings import flat, step_settings, trial_limit


def made(label: str, **told: Any) -> tuple[str, Manifest]:
    step = label.partition("/")[0]
    return label, Manifest(
        step=step,
        version="1",
        label=label,
        recipe="r",
        digest="d",
        ingredients={"step": step, "in": told},
        files=[],
        counts=Counts(),
        seconds=0,
        libraries={},
        created_at="",
    )


def test_keys_are_dotted_and_artifacts_left_out() -> None:
    told = {
        "rules": {"gopher_quality": {"min_words": 20}, "names": ["a", "é"]},
        "capture": {"artifact": "ab"},
        "layers": [{"artifact": "cd"}, {"docs": {"artifact": "ef"}, "unit": None}],
    }
    assert list(flat(told)) == [
        ("rules.gopher_quality.min_words", "20"),
        ("rules.names", '["a", "é"]'),
        ("layers.1.unit", "null"),
    ]


def test_steps_that_were_told_the_same_are_told_once() -> None:
    rules = {"min_words": 50}
    found = step_settings(
        [
            made("decide/a", rules=rules, scores={"artifact": "1"}),
            made("decide/b", rules={"min_words": 20}, scores={"artifact": "2"}),
            made("decide/c", rules=rules, scores={"artifact": "3"}, source="c"),
            made("assemble", documents={"a": {"artifact": "4"}}),
        ]
    )
    assert found == (
        StepSettings("decide", ("decide/a", "decide/c"), (("rules.min_words", "50"),)),
        StepSettings("decide", ("decide/b",), (("rules.min_words", "20"),)),
    )


def test_a_limit_of_a_source_makes_a_trial() -> None:
    full = made("read/a", job={"limit": 0}), made("decide/a", rules={"limit": 9})
    assert trial_limit(full) == 0
    assert trial_limit([*full, made("extract/b", job={"limit": 200})]) == 200
