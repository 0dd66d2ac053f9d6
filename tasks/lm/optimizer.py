"""AdamW for every weight, or Muon for the layers' matrices with AdamW for the rest.

Embeddings, the output head and the norms' gains stay with AdamW, as Muon's author advises.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch.optim import AdamW, Optimizer

from pipeline_config.training import OptimizerConfig
from tasks.lm.muon import Muon


def build_optimizers(model: torch.nn.Module, config: OptimizerConfig) -> list[Optimizer]:
    """One or two optimizers which together own every weight exactly once."""
    named = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    matrices = []
    if config.name == "muon":
        matrices = [weight for name, weight in named if ".layers." in name and weight.ndim == 2]
    taken = {id(weight) for weight in matrices}
    rest = [weight for _, weight in named if id(weight) not in taken]
    adamw = AdamW(
        [
            _group([w for w in rest if w.ndim >= 2], config.learning_rate, config.weight_decay),
            _group([w for w in rest if w.ndim < 2], config.learning_rate, 0.0),
        ],
        betas=(config.beta1, config.beta2),
        fused=True,
    )
    if not matrices:
        return [adamw]
    group = _group(matrices, config.muon_learning_rate, config.weight_decay)
    return [Muon([group], momentum=config.muon_momentum), adamw]


def set_learning_rates(optimizers: list[Optimizer], share: float) -> None:
    """Sets every group's learning rate to `share` of its peak."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * share


def _group(weights: Sequence[torch.Tensor], peak: float, weight_decay: float) -> dict[str, Any]:
    return {"params": list(weights), "lr": peak, "peak": peak, "weight_decay": weight_decay}
