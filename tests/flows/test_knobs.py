"""The form of the dashboard: flat, with neutral defaults, and everything checked."""

import datetime as dt

import pytest
from jsonschema import Draft202012Validator
from prefect.utilities.callables import parameter_schema

from flows.catalog import DESCRIPTIONS, FLOW_NAMES
from flows.knobs import RunKnobs
from flows.prefect_flows import PREFECT_FLOWS
from pipeline_config.load import ConfigError, load_config


def test_defaults_are_the_preset_as_it_is() -> None:
    assert RunKnobs().overrides() == {}
    assert RunKnobs().configure({}) == load_config("demo")


def test_knobs_set_keys_of_the_configuration() -> None:
    knobs = RunKnobs(limit=5, refresh=True, pretrain_steps=3, sft_steps=4, seed=9)
    config = knobs.configure({})
    assert config.crawl.limit == 5
    assert config.crawl.as_of == dt.datetime.now(dt.UTC).date().isoformat()
    assert (config.pretrain.num_steps, config.sft.num_steps) == (3, 4)
    assert config.pretrain.seed == config.sft.seed == 9


def test_overrides_win_over_knobs() -> None:
    assert RunKnobs(limit=5).configure({"crawl.limit": 6}).crawl.limit == 6


def test_wrong_override_is_told_in_one_line() -> None:
    with pytest.raises(ConfigError, match=r"^override dedup\.zzz=1: unknown key dedup\.zzz"):
        RunKnobs().configure({"dedup.zzz": 1})


def test_form_is_flat_and_explains_every_field() -> None:
    schema = RunKnobs.model_json_schema()
    assert 6 <= len(schema["properties"]) <= 8
    assert schema["additionalProperties"] is False
    assert "$defs" not in schema
    for name, field in schema["properties"].items():
        assert field["type"] in ("string", "integer", "boolean"), name
        assert field["title"] != name.replace("_", " ").title() or name in ("preset", "seed")
        assert field["description"]
        assert "default" in field
    assert "demo" in schema["properties"]["preset"]["enum"]


def test_every_flow_of_the_catalog_has_a_form_that_takes_its_defaults() -> None:
    assert tuple(PREFECT_FLOWS) == FLOW_NAMES == tuple(DESCRIPTIONS)
    for name, flow in PREFECT_FLOWS.items():
        assert flow.name == name
        assert flow.__name__ == name.replace("-", "_")
        schema = parameter_schema(flow.fn).model_dump()
        validator = Draft202012Validator(schema)
        validator.validate({"run": RunKnobs().model_dump(), "overrides": {}})
        assert list(validator.iter_errors({"run": {"typo": 1}}))
        flow.validate_parameters({"run": {}, "overrides": {"dedup.num_bands": 20}})
