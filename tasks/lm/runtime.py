"""Where a model step runs: what `auto` comes to, without importing torch.

A model's bytes depend on the device class, the number type of the matrix products, the number of
threads and whether kernels are compiled. So these are resolved here, cheaply, before the step's key
is made, and the worker process gets exactly what the key says.
"""

import os
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from pipeline_config.training import RuntimeConfig, TrainingConfig


@dataclass(frozen=True, slots=True)
class Runtime:
    """A resolved runtime; what it holds is part of a model step's key."""

    device: Literal["cpu", "cuda"] = "cpu"
    dtype: Literal["float32", "bfloat16"] = "float32"
    threads: int = 1
    compile: bool = False
    world_size: int = 1


def resolve_runtime(config: RuntimeConfig) -> Runtime:
    """The runtime of a step that only reads a model: evaluation, sampling."""
    device = config.device if config.device != "auto" else _device()
    return Runtime(
        device=device,
        dtype=config.dtype if config.dtype != "auto" else _dtype(device),
        threads=config.threads or _usable_cores(),
    )


def resolve_training(config: TrainingConfig) -> Runtime:
    """The runtime of a training step."""
    runtime = resolve_runtime(config.runtime)
    compiled = config.compile == "always" or (config.compile == "auto" and runtime.device == "cuda")
    return Runtime(runtime.device, runtime.dtype, runtime.threads, compiled)


def _device() -> Literal["cpu", "cuda"]:
    """Says cuda if there is an NVIDIA device and this torch is not a CPU build."""
    if "+cpu" in metadata.version("torch") or os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return "cpu"
    return "cuda" if Path("/dev/nvidiactl").exists() else "cpu"


def _dtype(device: str) -> Literal["float32", "bfloat16"]:
    """bfloat16 where the hardware multiplies it faster than float32."""
    if device == "cuda":
        return "bfloat16"
    cpuinfo = Path("/proc/cpuinfo")
    fast = cpuinfo.exists() and "amx_bf16" in cpuinfo.read_text(errors="replace")
    return "bfloat16" if fast else "float32"


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
