"""Whoever answers prompts: a language model over HTTP, or rules; all behind one protocol."""
