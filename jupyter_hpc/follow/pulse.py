"""A worker's heartbeat: the time stamp of its events, and how long it may stand still before we ask."""

from __future__ import annotations

from ..runtime.clock import Clock

SILENCE_S = 1.25  # a heartbeat older than this makes us ask; the worker beats twice a second
LONGEST_SILENCE_S = 8.0


class Pulse:
    """The last beat that was seen, and the silence that is usual for this worker."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._beat = 0
        self._at = clock.monotonic()
        self._patience_s = SILENCE_S

    def feel(self, beat: int) -> bool:
        """Take the latest beat; tell whether it is a new one."""
        if beat == self._beat:
            return False
        now = self._clock.monotonic()
        if self._beat and now - self._at > self._patience_s:
            # a cell that holds the interpreter, or a slow file system, must not make us ask again and again
            self._patience_s = min((now - self._at) * 1.5, LONGEST_SILENCE_S)
        self._beat, self._at = beat, now
        return True

    @property
    def is_silent(self) -> bool:
        """It has not beaten for longer than is usual."""
        return self._clock.monotonic() - self._at > self._patience_s
