"""The handle of a job: status, wait, result, cancel; and ``submit()``."""
