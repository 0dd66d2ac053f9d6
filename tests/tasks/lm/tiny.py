"""What tests of model stages share: a tokenizer of about 300 ids and a model of 20,000 weights."""

import json
from pathlib import Path

from pipeline_config.training import ModelConfig
from tasks.tokenization.bpe import chat_template, tokenizer_files, train_bpe

TEXTS = ["the cat sat on the mat and the dog sat on the log\n", "user assistant yes no docs code\n"]
TINY = ModelConfig(num_layers=2, hidden_size=32, num_heads=2, mlp_size=64, context=64)


def write_tokenizer(directory: Path) -> Path:
    """A tokenizer directory as the tokenization stage makes it."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, value in tokenizer_files(train_bpe(TEXTS * 50, 300)):
        (directory / name).write_text(json.dumps(value))
    (directory / "chat_template.jinja").write_text(chat_template())
    return directory
