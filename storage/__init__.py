"""Bytes on disk: artifacts, their cache keys, shards and the record schemas; imports no stage and no config."""
