"""Self-Instruct: a teacher writes instructions and instances; filters decide what is trained on."""
