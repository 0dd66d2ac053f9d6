"""Shard functions for tests; worker processes import them from here."""

import os
import signal
from pathlib import Path
from typing import Any

import pyarrow as pa

from storage.shards import ShardOutput
from storage.tables import read_table


def double(inputs: list[Path], params: Any, out: ShardOutput) -> None:
    """Doubles every number, and notes in params["log"] that it ran."""
    values = read_table(inputs[0]).column("x").to_pylist()
    with Path(params["log"]).open("a") as log:
        log.write(f"{out.name}\n")
    out.counts.read += len(values)
    out.counts.kept += len(values)
    out.add_table(f"{out.name}.parquet", pa.table({"x": [2 * value for value in values]}))


def double_with_params(inputs: list[Path], params: Any, out: ShardOutput) -> None:
    double(inputs, params, out)


def fail_on_third(inputs: list[Path], params: Any, out: ShardOutput) -> None:
    """Raises at the shard called 00002."""
    if out.name == "00002":
        raise ValueError("the number 2 is cursed")
    double(inputs, params, out)


def die_once(inputs: list[Path], params: Any, out: ShardOutput) -> None:
    """Kills its own process the first time it meets the shard called 00001."""
    marker = Path(params["log"] + ".died")
    if out.name == "00001" and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    double(inputs, params, out)


def die_always(inputs: list[Path], params: Any, out: ShardOutput) -> None:
    """Kills its own process at the shard called 00001."""
    if out.name == "00001":
        os.kill(os.getpid(), signal.SIGKILL)
    double(inputs, params, out)
