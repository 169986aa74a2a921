"""From a request to a job at a scheduler."""
