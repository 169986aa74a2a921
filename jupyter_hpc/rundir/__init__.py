"""The run directory, which is the truth."""
