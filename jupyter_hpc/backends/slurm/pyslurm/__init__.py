"""Slurm asked through pyslurm, in a process of its own."""
