"""What a cell raised, as its record has it: one place for every view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .run import Run

MOST_TASKS = 3  # of an array; the others failed in the same way, most often


def traceback_of(record: Mapping[str, Any], failed: Iterable[Run] = ()) -> str:
    """Return the traceback of what ended a job; of an array, those of the first that failed, each under its task."""
    own = str((record.get("exception") or {}).get("traceback") or "")
    if own:
        return own
    found: list[str] = []
    for task in failed:
        if text := ((task.record_within(dict(record)) or {}).get("exception") or {}).get("traceback"):
            found.append(f"task {task.index}:\n{text}")
        if len(found) == MOST_TASKS:
            break
    return "\n".join(found)
