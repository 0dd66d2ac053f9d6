"""Gives the processes of a test a flow `refresh-corpus` whose three steps take no time.

On a process's PYTHONPATH this folder's `sitecustomize` is imported first of all. Everything else of
the command line, the server and the deployments is the real thing.
"""

import sys
import types


def _compose(config: object) -> None:
    from toy_steps import compose

    compose(config)


_flow = types.ModuleType("flows.refresh_corpus")
_flow.compose = _compose  # type: ignore[attr-defined]
sys.modules["flows.refresh_corpus"] = _flow
