"""A scheduler that doesn't answer: noticed once, asked by its cheapest question until it does, said in one sentence."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from ..backends.base import Backend
from ..model.exceptions import HPCError
from ..runtime.clock import CLOCK, Clock

BACK_OFF_S = (1.0, 10.0, 30.0, 60.0)  # it says that it is up, and still doesn't answer: after each such time
CALM_S = 120.0  # after which the next failure is a new story
_chance = random.Random()  # noqa: S311 no secret; the notebook's own sequence stays as it is


class Outage:
    """Whether a target's scheduler answers now.

    Parameters
    ----------
    on_end : callable
        Called with the beginning of the outage (seconds since the epoch) when the scheduler answers again.
    """

    def __init__(self, backend: Backend, on_end: Callable[[float], None], clock: Clock = CLOCK) -> None:
        self.since: float | None = None
        self._backend = backend
        self._on_end = on_end
        self._clock = clock
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._ended = -1e18
        self._in_a_row = 0

    @property
    def words(self) -> str:
        """The sentence for a person."""
        return slow_words(self._backend, self.since)

    def begin(self, asked: float) -> None:
        """A question got no answer."""
        if self.since is not None:
            return
        self._in_a_row = self._in_a_row + 1 if self._clock.monotonic() - self._ended < CALM_S else 0
        self.since = asked
        self._over.clear()
        self._task = asyncio.get_running_loop().create_task(self._ask())

    async def _ask(self) -> None:
        pause = BACK_OFF_S[min(self._in_a_row, len(BACK_OFF_S) - 1)]
        while True:
            wait = max(pause, self._backend.budget.wait_s(urgent=False))
            await self._clock.sleep(wait * _chance.uniform(1.0, 1.2))  # so that not all users ask at once
            if self._backend.budget.wait_s(urgent=False) > 0:  # somebody else asked meanwhile
                continue
            try:
                if await self._backend.is_up():
                    break
            except HPCError:
                continue
        since, self.since, self._ended = self.since or self._clock.time(), None, self._clock.monotonic()
        self._over.set()
        self._on_end(since)

    async def wait(self, timeout_s: float) -> bool:
        """Wait until the scheduler answers, but not longer; tell whether it does."""
        return self.since is None or await self._clock.came(self._over, timeout_s)


def slow_words(backend: Backend, since: float | None) -> str:
    """Return the sentence for a person who waits."""
    return f"{backend.scheduler} doesn't answer (since {clock(since)}); running jobs go on"


def clock(moment: float | None) -> str:
    """Return a moment as people say it: ``14:03``."""
    return time.strftime("%H:%M", time.localtime(moment))
