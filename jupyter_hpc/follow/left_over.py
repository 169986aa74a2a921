"""Jobs that a scheduler still has of runs that have ended: they would start again if somebody let them go.

A controller or a node that crashed leaves them, held after a start that failed. They are found in the answers that are
asked for anyway, and ended: nothing of such a run is wanted any more.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from ..backends.base import Backend
from ..model.exceptions import HPCError, JobNotFound
from ..rundir.run import Run
from ..rundir.store import store
from .status import recorded_status

_logger = logging.getLogger(__name__)


async def end_left_over(backend: Backend, live: Iterable[str]) -> list[str]:
    """End what the last answer has of ended runs, and return their ids.

    Parameters
    ----------
    live : iterable of str
        Runs that are followed: those have not ended.
    """
    ended = []
    for run_id, native_id in backend.held().items():
        try:
            run = _ended_run(run_id) if run_id not in live else None
            if run is not None:
                await backend.cancel(run, native_id)
                ended.append(run_id)
        except (HPCError, OSError) as error:  # one broken run directory must not stop the others
            _logger.warning("job %s of %s, which has ended, may still be there: %s", native_id, run_id, error)
    return ended


def _ended_run(run_id: str) -> Run | None:
    """Return the run of our own store with an id, if it has ended."""
    try:
        run = store().run(run_id)
    except JobNotFound:  # another program's mark
        return None
    record = run.record_or_none()
    return run if record is not None and recorded_status(record) is not None else None
