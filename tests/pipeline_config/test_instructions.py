import pytest
from pydantic import ValidationError

from pipeline_config.instructions import BootstrapConfig, InstancesConfig, InstructionsConfig
from pipeline_config.teacher import TeacherConfig


def test_the_defaults_are_the_papers() -> None:
    bootstrap = InstructionsConfig().bootstrap
    shown = (bootstrap.seeds_in_prompt, bootstrap.machine_in_prompt)
    assert (shown, bootstrap.max_rouge, bootstrap.rule) == ((6, 2), 0.7, "paper")
    assert (bootstrap.min_words, bootstrap.max_words) == (4, 150)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"families": ["source", "source"]}, "'source' is listed twice"),
        ({"families": ["guess"]}, "Input should be 'capital'"),
        ({"min_words": 9, "max_words": 8}, "min_words 9 is above max_words 8"),
        ({"max_rouge": 0}, "greater than 0"),
        ({"rule": "mine"}, "'paper' or 'reference'"),
    ],
)
def test_wrong_bootstrap_values_are_told(values: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        BootstrapConfig.model_validate(values)


def test_wrong_passage_lengths_are_told() -> None:
    with pytest.raises(ValidationError, match="min_passage_words 30 is above"):
        InstancesConfig(min_passage_words=30)


@pytest.mark.parametrize(
    "values",
    [{}, {"base_url": "http://x/v1"}, {"model": "m"}, {"base_url": "x:80", "model": "m"}],
)
def test_a_language_model_needs_an_address_and_a_name(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="base_url"):
        TeacherConfig.model_validate({"kind": "openai"} | values)


def test_where_a_teacher_lives_is_no_part_of_a_key_but_its_budget_is() -> None:
    one = TeacherConfig(kind="openai", base_url="http://a/v1", model="m", concurrency=2)
    two = TeacherConfig(kind="openai", base_url="https://b/v1", model="m", api_key_env="KEY")
    assert one.model_dump() == two.model_dump()
    # a larger budget must go on where the smaller one ended
    assert one.model_dump() != two.model_copy(update={"max_requests": 5}).model_dump()
