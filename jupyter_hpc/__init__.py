"""Run notebook cells on Slurm and Kubernetes as if they ran here."""
