"""Prepares torch for a runtime: the device, one thread count, kernels that give the same bits."""

import torch
from transformers.models.llama import LlamaForCausalLM

from tasks.lm.runtime import Runtime


def set_up_torch(runtime: Runtime) -> None:
    """Prepares this process for `runtime`; called once, before any tensor is made.

    Raises:
        ValueError: when the runtime asks for a GPU that torch cannot use.
    """
    if runtime.device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "runtime.device is cuda, but torch cannot use a GPU here; set runtime.device to cpu"
        )
    torch.set_num_threads(runtime.threads)
    # Kernels without a deterministic form only warn: there is no other way to compute them.
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Filling new memory guards against reads of it, and costs time; torch's own layers do not.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def move(model: LlamaForCausalLM, runtime: Runtime) -> LlamaForCausalLM:
    """The model on the runtime's device."""
    torch.nn.Module.to(model, runtime.device)
    return model


def autocast(runtime: Runtime) -> torch.autocast:
    """A context in which matrix products are of the runtime's type; weights stay float32."""
    return torch.autocast(runtime.device, dtype=torch.bfloat16, enabled=runtime.dtype == "bfloat16")
