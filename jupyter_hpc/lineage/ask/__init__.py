"""Questions about runs and values."""
