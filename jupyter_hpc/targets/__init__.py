"""Named places to run, and this process's one connection to each."""
