"""The tests' clock: whoever sleeps wakes when it is due, in order, and nobody really waits."""

from __future__ import annotations

import asyncio
import time

import pytest

from jupyter_hpc.testing.fake import FakeClock


def test_sleepers_wake_when_they_are_due_and_see_that_time() -> None:
    async def play() -> None:
        clock, woke = FakeClock(), []

        async def sleeper(name: str, *pauses: float) -> None:
            for pause in pauses:
                await clock.sleep(pause)
                woke.append((name, clock.monotonic() - 1000))

        tasks = [asyncio.ensure_future(s) for s in (sleeper("a", 10, 10, 3600), sleeper("b", 15), sleeper("c", 0))]
        await clock.advance(19.9)
        assert woke == [("c", 0), ("a", 10), ("b", 15)]
        await clock.advance(0.1)
        assert woke[-1] == ("a", 20)
        assert clock.monotonic() == 1020
        began = time.monotonic()
        await clock.until(tasks[0].done, 4000)
        assert time.monotonic() - began < 3600

    asyncio.run(play())


def test_an_event_is_waited_for_no_longer_than_asked() -> None:
    async def play() -> None:
        clock, event = FakeClock(), asyncio.Event()
        waits = asyncio.ensure_future(clock.came(event, 5))
        assert await clock.until(waits.done, 10) == 5
        assert waits.result() is False
        waits = asyncio.ensure_future(clock.came(event, 5))
        await clock.settle()
        event.set()
        assert await clock.until(waits.done, 10) == 0
        assert waits.result() is True
        assert await clock.came(event, 0)

    asyncio.run(play())


def test_a_future_that_takes_longer_goes_on() -> None:
    async def play() -> None:
        clock = FakeClock()
        work = asyncio.ensure_future(clock.sleep(8))
        waits = asyncio.ensure_future(clock.done(work, 5))
        assert await clock.until(waits.done, 10) == 5
        assert waits.result() is False
        assert not work.done()
        assert await clock.until(work.done, 10) == 3

    asyncio.run(play())


def test_what_does_not_happen_is_said() -> None:
    async def play() -> None:
        clock = FakeClock(now=100.0)
        with pytest.raises(AssertionError, match="not happen within 7 s"):
            await clock.until(lambda: False, 7)
        assert clock.time() == 107

    asyncio.run(play())
