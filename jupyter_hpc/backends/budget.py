"""How often one process may ask one scheduler, whoever in it wants to know."""

from __future__ import annotations

import time
from collections.abc import Callable

WINDOW_S = 60.0
URGENT_S = (0.0, 0.5, 2.0, 6.0, 12.0, 20.0)  # since the last urgent one, by how many there were in the window
ROUTINE_S = (0.0, 2.0, 6.0, 15.0)  # since any question, by how many there were
KEPT = 1  # question of a window that routine always leaves to what is urgent


class Budget:
    """Counts the questions of the last minute and tells when the next one may be asked.

    A routine question looks whether anything changed; an urgent one follows an event that only the scheduler can
    explain. The first questions of a quiet minute are free, so that what happens now and then is known at once.

    Parameters
    ----------
    limit : int or None
        Questions in any 60 seconds; None where asking costs nobody anything.
    clock : callable
        Seconds that never go back.
    """

    def __init__(self, limit: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.total = 0  # questions ever
        self._clock = clock
        self._spent: list[float] = []
        self._urgent: list[float] = []

    def spend(self) -> None:
        """Note that a command goes to the scheduler now; what a user asks for is never refused, only counted."""
        self._recent()
        self._spent.append(self._clock())
        self.total += 1

    def mark_urgent(self) -> None:
        """Note that an urgent question is asked now."""
        self._urgent.append(self._clock())

    def allow_urgent(self) -> None:
        """A person did something and waits for what comes of it: only the limit itself holds for the next question."""
        self._urgent.clear()

    def wait_s(self, *, urgent: bool) -> float:
        """Return how long to wait before the next question; 0.0 if it may be asked now."""
        if self.limit is None:
            return 0.0
        now, spent = self._clock(), self._recent()
        allowed = self.limit if urgent else max(1, self.limit - KEPT)
        if len(spent) >= allowed:  # until enough of them have left the window
            return spent[len(spent) - allowed] + WINDOW_S - now
        before, gaps = (self._urgent, URGENT_S) if urgent else (spent, ROUTINE_S)
        if not before:
            return 0.0
        return max(0.0, before[-1] + gaps[min(len(before), len(gaps) - 1)] - now)

    def has_left(self) -> bool:
        """Tell whether a follow-up to a question that is being asked may go out now."""
        return self.limit is None or len(self._recent()) < self.limit

    def forget(self) -> None:
        """Begin anew."""
        self._spent.clear()
        self._urgent.clear()

    def _recent(self) -> list[float]:
        start = self._clock() - WINDOW_S
        for times in (self._spent, self._urgent):
            while times and times[0] <= start:
                del times[0]
        return self._spent
