"""A Llama from its configuration, and models back from their directories.

The class is transformers' own, so a trained directory is served by transformers and vLLM as it is.
"""

from pathlib import Path
from typing import cast

import torch
from transformers import AutoModelForCausalLM
from transformers.models.llama import LlamaConfig, LlamaForCausalLM
from transformers.utils.logging import disable_progress_bar

from pipeline_config.training import ModelConfig


def build_model(
    config: ModelConfig, *, vocab_size: int, document_end: int, seed: int
) -> LlamaForCausalLM:
    """A model with random weights; `document_end` is the id of the token between documents."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocab_size,
            hidden_size=config.hidden_size,
            intermediate_size=config.mlp_size,
            num_hidden_layers=config.num_layers,
            num_attention_heads=config.num_heads,
            num_key_value_heads=config.num_heads,
            max_position_embeddings=config.context,
            rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
            tie_word_embeddings=config.tie_embeddings,
            bos_token_id=document_end,
            eos_token_id=document_end,
            pad_token_id=document_end,
        )
    )


def load_model(directory: Path) -> LlamaForCausalLM:
    """The model of a local Hugging Face directory, in float32; runs no code from it.

    Ours are Llamas; any decoder that has its two parts, `model` and `lm_head`, will do.
    """
    disable_progress_bar()  # type: ignore[no-untyped-call]
    model = AutoModelForCausalLM.from_pretrained(
        directory, dtype=torch.float32, local_files_only=True, use_safetensors=True
    )
    return cast(LlamaForCausalLM, model)


def num_parameters(model: torch.nn.Module) -> int:
    """Trainable weights; tied ones count once."""
    return sum(parameter.numel() for parameter in model.parameters())
