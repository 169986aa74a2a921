"""The attempts of a job: a scheduler may take a running job back and start it again."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ..rundir.run import Run
from ..worker.regular import open_regular

_TAKEN_BACK = re.compile(r"CANCELLED AT (\S+) DUE TO (JOB REQUEUE|PREEMPTION|NODE FAILURE)")
_HOW = {
    "JOB REQUEUE": ("REQUEUED", "somebody requeued it"),
    "PREEMPTION": ("PREEMPTED", "a job with a higher priority took its place"),
    "NODE FAILURE": ("NODE_FAIL", "its node failed"),
}
UNKNOWN = "the scheduler took it back"
_TAIL = 64 << 10


def taken_back(run: Run, start: Mapping[str, Any]) -> tuple[str, str, float | None]:
    """Return how the attempt that began with a ``started`` event was ended: word, sentence, time.

    The batch script of the next attempt keeps ``scheduler.log`` of this one under its number.
    """
    number = int(start.get("attempt") or 1) - 1
    for path in (Path(f"{run.scheduler_log}.{number}"), run.scheduler_log):
        found = _TAKEN_BACK.findall(_tail(path))
        if found:
            moment, cause = found[-1]
            return (*_HOW[cause], _time(moment))
    return "REQUEUED", UNKNOWN, None


def attempts(
    run: Run, starts: Sequence[Mapping[str, Any]], last: Mapping[str, Any], *, is_requeued: bool = False
) -> list[dict[str, Any]]:
    """Return a record of all attempts, in order.

    Parameters
    ----------
    starts : sequence of mapping
        The ``started`` events.
    last : mapping
        How the last one ended (``ended``, ``how``, ``reason``), as far as it has.
    is_requeued : bool
        The last one was taken back too, and none has begun since.
    """
    found = []
    for index, start in enumerate(starts):
        one = {"attempt": index + 1, "started": start["t"], "node": str(start.get("node") or "")}
        if index + 1 < len(starts) or is_requeued:
            how, reason, ended = taken_back(run, start)
            one.update(ended=ended, how=how, reason=reason)
        else:
            one.update(last)
        found.append(one)
    return found


def _tail(path: Path) -> str:
    try:
        with open_regular(path) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _time(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
