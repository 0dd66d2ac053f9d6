"""Near-duplicate documents: found by their words alone, verified, and explained as clusters."""
