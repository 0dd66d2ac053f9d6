"""The finished corpus: what all earlier steps decided and edited, applied once."""
