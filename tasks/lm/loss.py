"""Losses as SUMS over target tokens; the loop divides by the targets of the whole batch.

A mean per forward pass would weigh a token by how many others share its pass, so that accumulating
gradients over more passes would train another model.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers.models.llama import LlamaForCausalLM

IGNORED = -100  # the target of a position without loss


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one forward pass: targets[b, t] is the token that follows inputs[b, t]."""

    inputs: Tensor  # (B, T) int64
    targets: Tensor  # (B, T) int64, IGNORED where there is no loss

    def to(self, device: str) -> "Batch":
        """This batch on `device`."""
        return Batch(
            self.inputs.to(device, non_blocking=True), self.targets.to(device, non_blocking=True)
        )

    @property
    def num_targets(self) -> int:
        """Positions with a loss."""
        return int((self.targets != IGNORED).sum())


def language_model_loss(model: LlamaForCausalLM, batch: Batch) -> Tensor:
    """The negative log-likelihood of all targets, in nats, summed.

    A model with equal logits over V tokens gives T * ln(V) for T targets.
    """
    hidden = model.model(input_ids=batch.inputs, use_cache=False).last_hidden_state  # (B, T, D)
    logits = model.lm_head(hidden).flatten(0, 1)  # (B * T, V)
    targets = batch.targets.flatten()
    return cross_entropy(logits.float(), targets, ignore_index=IGNORED, reduction="sum")


def answer_loss(model: LlamaForCausalLM, batch: Batch) -> Tensor:
    """The same sum, with the output head applied to targets only.

    Of a conversation mostly a few answer tokens are trained, and a small model spends a third of
    its time in the head.
    """
    hidden = model.model(input_ids=batch.inputs, use_cache=False).last_hidden_state  # (B, T, D)
    trained = batch.targets != IGNORED  # (B, T)
    logits = model.lm_head(hidden[trained])  # (targets, V)
    return cross_entropy(logits.float(), batch.targets[trained], reduction="sum")


@torch.inference_mode()
def token_losses(model: LlamaForCausalLM, batch: Batch) -> Tensor:
    """The negative log-likelihood of each target in nats, 0 where ignored: (B, T)."""
    hidden = model.model(input_ids=batch.inputs, use_cache=False).last_hidden_state  # (B, T, D)
    scored = batch.targets != IGNORED  # (B, T)
    logits = model.lm_head(hidden[scored]).float()  # (targets, V)
    losses = torch.zeros(batch.targets.shape, device=logits.device)
    losses[scored] = cross_entropy(logits, batch.targets[scored], reduction="none")
    return losses
