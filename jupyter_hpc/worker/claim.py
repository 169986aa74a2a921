"""A run's one start, which only one process can have, where no batch script claims it."""

from __future__ import annotations

import os


def claimed(directory: str, whose: str, number: int = 1) -> str:
    """Claim a run's attempt, the first one; return whose it is already, empty if it is ours now."""
    path = os.path.join(directory, f"attempt.{number}")
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(whose)
    except FileExistsError:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read() or "unknown"
    except OSError:  # the disk is full or read-only, as the worker will say
        pass
    return ""
