"""The flows by name. Each is a module whose `compose(config)` calls the steps in order."""

import importlib
from collections.abc import Callable
from typing import Any, get_args

from pipeline_config.schedules import FlowName

DESCRIPTIONS: dict[FlowName, str] = {
    "crawl-to-chat": "Everything: from the sources to a chat model and its report.",
    "refresh-corpus": "Fetch, extract, score and deduplicate the sources.",
    "build-mixture": "Tokenize the corpus and weigh its sources.",
    "pretrain": "Train a base model on the mixture.",
    "build-instructions": "Write and filter instructions over the corpus.",
    "align": "Fine-tune the base model to chat.",
    "evaluate": "Measure the models and write the report.",
}
FLOW_NAMES: tuple[FlowName, ...] = get_args(FlowName)


def compose_of(name: FlowName) -> Callable[[Any], Any]:
    """The function that calls the flow's steps: `compose` of `flows/<name>.py`."""
    module = importlib.import_module(f"flows.{name.replace('-', '_')}")
    compose: Callable[[Any], Any] = module.compose
    return compose
