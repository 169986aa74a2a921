"""A disk without room for the result: the worker waits for it, since all that the cell did would be lost else."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Optional

    from .events import EventWriter

PATIENCE = "JUPYTER_HPC_WAIT_FOR_ROOM"  # seconds; a variable of the job
PATIENCE_S = 3600.0
FIRST_S = 1.0  # to the first try; twice as long before each other one
MOST_S = 10.0
LOOK_S = 1.0  # a signal wakes nobody that came just before a wait, or to another thread: it is seen after so long
MAY_PASS = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE))


def may_come(error: BaseException) -> bool:
    """Whether what can't be written now may be later: no space, no quota, a disk that is read-only or out of reach."""
    return isinstance(error, OSError) and error.errno in MAY_PASS


class Room:
    """Waits for a disk, until the patience is over or somebody ends the job.

    Attributes
    ----------
    ended_by : int
        The signal that came meanwhile; 0 if none did.
    """

    def __init__(self, events: EventWriter) -> None:
        self.ended_by = 0
        self._events = events
        self._ended = threading.Event()
        self._pause = FIRST_S
        self._until: Optional[float] = None

    def wait(self, error: BaseException) -> bool:
        """Wait a while; tell whether to try again."""
        if self._until is None:
            self._begin(error)
        now = time.monotonic()
        until = min(self._until or 0.0, now + self._pause)
        if now >= until:
            return False
        while now < until:
            if self._ended.wait(min(until - now, LOOK_S)):
                return False
            now = time.monotonic()
        self._pause = min(2 * self._pause, MOST_S)
        return True

    def _begin(self, error: BaseException) -> None:
        from .circumstances import text_of

        self._until = time.monotonic() + _patience()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        if _patience():
            try:
                self._events.write("waits", message=f"{type(error).__name__}: {text_of(error)}"[:500])
            except OSError:  # more events wait than may
                pass

    def _end(self, number: int, _: Any) -> None:
        self.ended_by = self.ended_by or number
        self._ended.set()


def _patience() -> float:
    try:
        return max(0.0, float(os.environ.get(PATIENCE, PATIENCE_S)))
    except ValueError:
        return PATIENCE_S
