"""What ``%hpc`` and ``jupyter hpc`` share."""
