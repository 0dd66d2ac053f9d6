"""The evaluation stage: bits per byte, accuracy on verified tasks, and what baselines reach."""
