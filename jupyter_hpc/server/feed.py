"""Notices changes while somebody watches, and says so on the event bus."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from .listing import Listing

WATCHED_S = 60.0  # how long a request counts as somebody who watches
_log = logging.getLogger(__name__)


class Feed:
    """Looks for changes of the listing, and tells of them.

    Parameters
    ----------
    emit : callable
        Called with the run ids that changed.
    every_s : float
        Seconds between looks.
    """

    SCHEMA = "https://jupyter-hpc.readthedocs.io/events/changed/v1"

    def __init__(self, listing: Listing, emit: Callable[[list[str]], None], every_s: float) -> None:
        self._listing = listing
        self._emit = emit
        self._every_s = every_s
        self._asked = 0.0
        self._task: asyncio.Task[None] | None = None

    def touch(self) -> None:
        """A client asked: look for changes for the next minute."""
        self._asked = time.monotonic()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        seen = await asyncio.to_thread(self._listing.versions)
        while time.monotonic() - self._asked < WATCHED_S:
            await asyncio.sleep(self._every_s)
            try:
                now = await asyncio.to_thread(self._listing.versions)
            except Exception as error:  # a border: a bad look must not end the feed
                _log.warning("a look at the runs failed: %s", error)
                continue
            changed = [run_id for run_id in {**seen, **now} if seen.get(run_id) != now.get(run_id)]
            seen = now
            if changed:
                self._emit(changed)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
