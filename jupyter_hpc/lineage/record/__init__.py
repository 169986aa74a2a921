"""What a run leaves of its inputs, cells and files."""
