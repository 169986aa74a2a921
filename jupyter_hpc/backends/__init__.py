"""Backends: local, Slurm, and what others register."""
