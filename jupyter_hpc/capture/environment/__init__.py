"""What a cell finds around it: packages, local modules, settings, the repository."""
