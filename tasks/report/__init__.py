"""The report of a run: one self-contained HTML page and a short summary of it."""
