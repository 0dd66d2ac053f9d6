"""The language model room: one model class, one training loop, one way to sample."""
