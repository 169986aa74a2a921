"""A lineage as text and as a picture."""
