"""Jobs that a scheduler still has of runs that have ended: nothing of such a run is wanted any more.

A controller or a node that crashed leaves them: held after a start that failed, so that they would start again if
somebody let them go; as if they still waited, though they were cancelled; or as if they still ran, until their node is
asked. The first are found in the answers that are asked for anyway, the others by `%hpc clean`. None of them runs:
its batch script sees that the run has its result, was begun or was cancelled.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress

from ..backends.base import Backend
from ..model.exceptions import HPCError, JobNotFound
from ..rundir.run import Run
from ..rundir.store import store
from ..worker.events import EVENTS
from .status import recorded_status

SILENT_S = 60.0  # a worker that has no room for its log's end still beats
_logger = logging.getLogger(__name__)


async def end_left_over(backend: Backend, live: Iterable[str], jobs: Mapping[str, str]) -> list[str]:
    """End what the last answer has of ended runs, and return their ids.

    Parameters
    ----------
    live : iterable of str
        Runs that are followed: those have not ended.
    jobs : mapping
        Run id → native id of the jobs that may be left over.
    """
    ended = []
    for run_id, native_id in jobs.items():
        try:
            run = _ended_run(run_id) if run_id not in live else None
            if run is not None:
                await backend.cancel(run, native_id)
                ended.append(run_id)
        except (HPCError, OSError) as error:  # one broken run directory must not stop the others
            _logger.warning("job %s of %s, which has ended, may still be there: %s", native_id, run_id, error)
    return ended


def ghosts(backend: Backend) -> dict[str, str]:
    """Return run id → native id of what waits or runs by the last answer, though its run ended a while ago."""
    return {run_id: native_id for run_id, native_id in backend.alive().items() if _is_silent(run_id)}


def _is_silent(run_id: str) -> bool:
    try:
        run = _ended_run(run_id)
        if run is None:
            return False
        last = float(run.record()["ended_at"] or 0)
        with suppress(FileNotFoundError):  # it never began
            last = max(last, (run.path / EVENTS).stat().st_mtime)
        return time.time() - last > SILENT_S
    except (HPCError, OSError, KeyError):  # nothing is known for certain
        return False


def _ended_run(run_id: str) -> Run | None:
    """Return the run of our own store with an id, if it has ended."""
    try:
        run = store().run(run_id)
    except JobNotFound:  # another program's mark
        return None
    record = run.record_or_none()
    return run if record is not None and recorded_status(record) is not None else None
