"""Every shipped preset loads, and every flow plans with it: an empty store has all to do."""

from pathlib import Path

import pytest

from flows.catalog import FLOW_NAMES, compose_of
from pipeline_config.load import ConfigError, load_config, preset_names
from pipeline_config.schedules import FlowName
from storage.session import planning
from storage.store import Store


def test_the_presets_of_the_documentation_are_there() -> None:
    assert preset_names() == ["demo", "small"]


@pytest.mark.parametrize("preset", preset_names())
@pytest.mark.parametrize("flow", FLOW_NAMES)
def test_every_flow_plans_with_every_preset(preset: str, flow: FlowName, tmp_path: Path) -> None:
    config = load_config(preset, [])
    with planning(Store(str(tmp_path)), flow=flow, preset=preset) as plan:
        compose_of(flow)(config)
    assert {(row.state, row.why) for row in plan.rows} == {("run", "never built")}
    assert plan.rows[-1].name == "report"
    assert len({row.name for row in plan.rows}) == len(plan.rows)


@pytest.mark.parametrize(
    "setting",
    [
        "quality.sources.blog.gopher_quality.min_words=3",
        "mixture.weights={blog: 1}",
        "dedup.preferred_sources=[blog]",
    ],
)
def test_settings_of_an_unknown_source_name_those_there_are(setting: str) -> None:
    more = ["dedup.keep=preferred_source"] if setting.startswith("dedup") else []
    with pytest.raises(ConfigError, match=r"'blog'.*code, docs, readmes"):
        load_config("demo", [setting, *more])
