import json
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors import safe_open
from transformers import AutoModelForCausalLM

from pipeline_config.training import SHAPES, ModelConfig
from tasks.lm.model import build_model, load_model, num_parameters
from tests.tasks.lm.tiny import TINY


def test_num_parameters_match_the_formula() -> None:
    model = build_model(TINY, vocab_size=50, document_end=0, seed=0)
    # embedding 50*32 (tied) + 2 layers * (4 attention 32*32, 3 SwiGLU 32*64, 2 norms) + last norm
    assert num_parameters(model) == 50 * 32 + 2 * (4 * 32 * 32 + 3 * 32 * 64 + 2 * 32) + 32


def test_saved_directory_loads_as_any_causal_model(tmp_path: Path) -> None:
    model = build_model(TINY, vocab_size=50, document_end=0, seed=0)
    model.save_pretrained(tmp_path)
    tokens = torch.arange(10)[None]
    expected = model(input_ids=tokens).logits
    for loaded in (AutoModelForCausalLM.from_pretrained(tmp_path), load_model(tmp_path)):
        assert torch.equal(loaded(input_ids=tokens).logits, expected)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["max_position_embeddings"] == 64


def test_equal_models_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        build_model(TINY, vocab_size=50, document_end=0, seed=3).save_pretrained(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert "model.safetensors" in files
    for name in files:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_weights_file_has_one_metadata_key(tmp_path: Path) -> None:
    """Safetensors writes several in random order, so that equal models would differ in bytes."""
    build_model(TINY, vocab_size=50, document_end=0, seed=3).save_pretrained(tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_size_gives_the_shape_that_is_not_set_by_hand() -> None:
    config = ModelConfig.model_validate({"size": "3m", "num_layers": 6})
    assert (config.num_layers, config.hidden_size, config.num_heads) == (6, 192, 6)
    assert config.mlp_size == 512  # 8/3 of 192


@pytest.mark.parametrize(("size", "millions"), [("124m", 85), ("350m", 302), ("1b", 925)])
def test_named_sizes_have_their_parameters(size: str, millions: int) -> None:
    shape = SHAPES[size]
    assert 12 * shape.num_layers * shape.hidden_size**2 / 1e6 == pytest.approx(millions, rel=0.01)


def test_heads_that_do_not_divide_the_width_are_refused_with_a_fix() -> None:
    with pytest.raises(ValidationError, match=r"num_heads \(5\).*set num_heads to 4"):
        ModelConfig(num_heads=5)


def test_unknown_size_is_one_error() -> None:
    with pytest.raises(ValidationError, match="1 validation error"):
        ModelConfig.model_validate({"size": "9m"})
