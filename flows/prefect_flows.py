"""The flows as Prefect sees them: thin functions around `execute`, one for each in the catalog.

A deployment finds its flow by the name of a variable of this module.
"""

from typing import Any

from prefect import Flow

from flows.catalog import DESCRIPTIONS
from flows.knobs import RunKnobs
from flows.runner import execute
from pipeline_config.schedules import FlowName

RunFlow = Flow[..., None]
DEFAULT_KNOBS = RunKnobs()


def _prefect_flow(name: FlowName) -> RunFlow:
    def run_flow(run: RunKnobs = DEFAULT_KNOBS, overrides: dict[str, Any] = {}) -> None:  # noqa: B006
        """One run.

        Args:
            run: How to run.
            overrides: Dotted keys of the configuration and their values, such as
                {"dedup.num_bands": 20}. They win over the preset and the fields above, and are
                checked before any step.
        """
        execute(name, run, overrides)

    run_flow.__name__ = name.replace("-", "_")  # a deployment's entry point ends with it
    return Flow(run_flow, name=name, description=DESCRIPTIONS[name], persist_result=False)


crawl_to_chat = _prefect_flow("crawl-to-chat")
refresh_corpus = _prefect_flow("refresh-corpus")
build_mixture = _prefect_flow("build-mixture")
pretrain = _prefect_flow("pretrain")
build_instructions = _prefect_flow("build-instructions")
align = _prefect_flow("align")
evaluate = _prefect_flow("evaluate")

PREFECT_FLOWS: dict[FlowName, RunFlow] = {
    "crawl-to-chat": crawl_to_chat,
    "refresh-corpus": refresh_corpus,
    "build-mixture": build_mixture,
    "pretrain": pretrain,
    "build-instructions": build_instructions,
    "align": align,
    "evaluate": evaluate,
}
