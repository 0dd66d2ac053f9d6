"""How much of the training budget each source gets."""
