"""Bytes on disk: artifacts, cache keys, shards, record schemas; imports no stage, no config."""
