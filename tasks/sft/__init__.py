"""The sft stage: a chat model from a base model and conversations."""
