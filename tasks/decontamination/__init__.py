"""Decontamination: documents that hold items of evaluation sets are dropped."""
