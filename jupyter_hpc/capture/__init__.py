"""From a cell to what travels."""
