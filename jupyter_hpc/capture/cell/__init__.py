"""What a cell reads and binds, from its text."""
