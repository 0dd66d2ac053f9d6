"""A tiny tokenizer, made here, and one thread: tiny tensors only lose time on more."""

from pathlib import Path

import pytest
import torch

from tests.tasks.lm.tiny import write_tokenizer

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tokenizer(tmp_path_factory.mktemp("tokenizer"))
