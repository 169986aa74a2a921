"""The index of all runs, which can be made again from the run directories."""
