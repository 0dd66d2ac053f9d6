"""What a user may turn: one frozen model per stage, presets, and their loader."""
