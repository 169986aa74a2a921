"""What time it is, and waiting for it: one object, so that whatever waits for a scheduler can be given another one.

The tests' clock is `jupyter_hpc.testing.fake.FakeClock`, whose hours pass in milliseconds.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any


class Clock:
    """This machine's clock."""

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def came(self, event: asyncio.Event, timeout_s: float) -> bool:
        """Wait for an event, but not longer; tell whether it came."""
        try:
            await asyncio.wait_for(event.wait(), timeout_s)
        except (asyncio.TimeoutError, TimeoutError):
            return False
        return True

    async def done(self, future: asyncio.Future[Any], timeout_s: float) -> bool:
        """Wait for a future, which goes on if that takes longer; tell whether it is done."""
        await asyncio.wait([future], timeout=timeout_s)
        return future.done()


CLOCK = Clock()
