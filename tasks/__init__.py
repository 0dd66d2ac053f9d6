"""The stages: nouns compute, the verb reads and writes artifacts, `task.py` talks to Prefect."""
