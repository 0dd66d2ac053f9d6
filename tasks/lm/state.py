"""The state of training as flat named tensors, so that nothing needs pickling."""

from pathlib import Path

import torch
from safetensors.torch import load_model
from torch import Tensor
from torch.optim import Optimizer
from transformers.models.llama import LlamaForCausalLM


def state_tensors(optimizers: list[Optimizer]) -> dict[str, Tensor]:
    """Optimizer and random-generator state.

    The second moment of the first optimizer's weight 7 is `optimizer.0.7.exp_avg_sq`.
    """
    tensors = {
        f"optimizer.{number}.{weight}.{name}": value
        for number, optimizer in enumerate(optimizers)
        for weight, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }
    tensors["generator.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["generator.cuda"] = torch.cuda.get_rng_state()
    return tensors


def read_state(
    checkpoint: Path,
    tensors: dict[str, Tensor],
    model: LlamaForCausalLM,
    optimizers: list[Optimizer],
) -> None:
    """Puts a checkpoint's weights and state back into a model and its optimizers."""
    load_model(model, checkpoint / "model.safetensors", device=str(model.device))
    for number, optimizer in enumerate(optimizers):
        state: dict[int, dict[str, Tensor]] = {}
        prefix = f"optimizer.{number}."
        for key in (key for key in tensors if key.startswith(prefix)):
            weight, name = key.removeprefix(prefix).split(".", 1)
            state.setdefault(int(weight), {})[name] = tensors[key]
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state, "param_groups": groups})
    torch.set_rng_state(tensors["generator.cpu"])
    if "generator.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["generator.cuda"])
