"""The rule-verified task families by name; adding or removing one is one file and one line."""
