"""Texts become tokens: one tokenizer for all sources, and packed token shards per source."""
