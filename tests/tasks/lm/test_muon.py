import pytest
import torch

from pipeline_config.training import OptimizerConfig
from tasks.lm.model import build_model
from tasks.lm.muon import Muon, orthogonalise
from tasks.lm.optimizer import build_optimizers, set_learning_rates
from tests.tasks.lm.tiny import TINY


def test_orthogonalise_keeps_singular_directions_and_equalises_sizes() -> None:
    torch.manual_seed(0)
    matrices = torch.randn(3, 12, 8)
    u, _, v = torch.linalg.svd(matrices, full_matrices=False)
    in_their_basis = u.mT @ orthogonalise(matrices) @ v.mT  # (3, 8, 8)
    sizes = in_their_basis.diagonal(dim1=1, dim2=2)
    assert (in_their_basis - torch.diag_embed(sizes)).abs().max() < 1e-5
    assert sizes.min() > 0.6
    assert sizes.max() < 1.3


def test_muon_moves_as_torchs_own_does() -> None:
    torch.manual_seed(0)
    shapes = [(8, 8), (8, 8), (16, 8), (8, 16)]
    ours = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    theirs = [torch.nn.Parameter(weight.detach().clone()) for weight in ours]
    optimizers = [
        Muon([{"params": ours, "lr": 0.02, "weight_decay": 0.1}], momentum=0.95),
        torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, momentum=0.95),
    ]
    for _ in range(5):
        for mine, other in zip(ours, theirs, strict=True):
            mine.grad = torch.randn_like(mine)
            other.grad = mine.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for mine, other in zip(ours, theirs, strict=True):
        # torch iterates in bfloat16, 8 bits: five updates of 0.02 may differ by a few thousandths
        assert torch.allclose(mine, other, atol=3e-3)


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_every_weight_belongs_to_one_optimizer(name: str) -> None:
    model = build_model(TINY, vocab_size=50, document_end=0, seed=0)
    config = OptimizerConfig.model_validate({"name": name, "weight_decay": 0.1})
    groups = [group for one in build_optimizers(model, config) for group in one.param_groups]
    owned = [id(weight) for group in groups for weight in group["params"]]
    assert sorted(owned) == sorted(id(weight) for weight in model.parameters())
    for group in groups:
        decays = group["weight_decay"] > 0
        assert all((weight.ndim >= 2) == decays for weight in group["params"])


def test_learning_rates_follow_the_share_of_each_peak() -> None:
    model = build_model(TINY, vocab_size=50, document_end=0, seed=0)
    config = OptimizerConfig(name="muon", learning_rate=1e-3, muon_learning_rate=0.02)
    optimizers = build_optimizers(model, config)
    set_learning_rates(optimizers, 0.5)
    assert [group["lr"] for one in optimizers for group in one.param_groups] == [0.01, 5e-4, 5e-4]
