"""The pretrain stage: a base model from random weights and a mixture of token streams."""
