"""What a user may count on, whatever runs the cell: one notebook, asked the same of every backend."""
