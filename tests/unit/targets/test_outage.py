"""A scheduler that doesn't answer is asked by its cheapest question, ever more seldom where that says too much."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_hpc.backends.budget import Budget
from jupyter_hpc.model.exceptions import TargetError
from jupyter_hpc.targets.outage import BACK_OFF_S, CALM_S, Outage
from jupyter_hpc.testing.fake import FakeBackend, FakeClock

MOST = 1.2  # times the pause: not all users ask at once


def scene() -> tuple[FakeClock, FakeBackend, Outage, list[float]]:
    clock = FakeClock()
    backend, ended = FakeBackend(clock), []
    backend.budget = Budget(None)
    return clock, backend, Outage(backend, ended.append, clock), ended


def test_it_is_over_at_the_first_ping_that_is_answered() -> None:
    async def play() -> None:
        clock, backend, outage, ended = scene()
        began = clock.time()
        backend.goes_away(20)
        outage.begin(began)
        outage.begin(began + 5)  # another question without an answer is the same outage
        assert outage.since == began
        assert outage.words.startswith("the fake scheduler doesn't answer (since ")
        assert await outage.wait(0) is False
        took = await clock.until(lambda: outage.since is None, 60)
        assert 20 <= took <= 20 + MOST * BACK_OFF_S[0] + 0.1
        assert ended == [began]
        assert backend.asked == [(at, "is_up") for at, _ in backend.asked]
        assert await outage.wait(0) is True

    asyncio.run(play())


def test_who_waits_is_woken_by_its_end_and_waits_no_longer_than_asked() -> None:
    async def play() -> None:
        clock, backend, outage, _ = scene()
        backend.goes_away(20)
        outage.begin(clock.time())
        short = asyncio.ensure_future(outage.wait(5))
        long = asyncio.ensure_future(outage.wait(100))
        assert await clock.until(short.done, 10) == pytest.approx(5, abs=0.1)
        assert short.result() is False
        await clock.until(long.done, 30)
        assert long.result() is True

    asyncio.run(play())


def test_one_that_says_it_is_up_and_does_not_answer_is_asked_ever_more_seldom() -> None:
    async def play() -> None:
        clock, backend, outage, ended = scene()
        for pause in (*BACK_OFF_S, BACK_OFF_S[-1]):
            outage.begin(clock.time())
            took = await clock.until(lambda: outage.since is None, 100)
            assert pause <= took <= MOST * pause + 0.1
        assert len(ended) == len(backend.asked) == len(BACK_OFF_S) + 1
        await clock.advance(CALM_S + 1)  # sums of fractions: by a hair more or less
        outage.begin(clock.time())
        assert await clock.until(lambda: outage.since is None, 100) <= MOST * BACK_OFF_S[0] + 0.1

    asyncio.run(play())


def test_pings_are_of_the_budget() -> None:
    async def play() -> None:
        clock, backend, outage, _ = scene()
        backend.budget = Budget(6, clock.monotonic)
        backend.goes_away()
        outage.begin(clock.time())
        await clock.advance(600)
        pings = backend.questions("is_up")
        assert len(pings) >= 600 / (MOST * 15 + 1)
        assert all(b - a >= 60 for a, b in zip(pings, pings[6:]))
        backend.comes_back()
        await clock.until(lambda: outage.since is None, MOST * 15 + 1)

    asyncio.run(play())


def test_what_somebody_else_asks_meanwhile_counts() -> None:
    async def play() -> None:
        clock, backend, outage, _ = scene()
        backend.budget = Budget(6, clock.monotonic)
        outage.begin(clock.time())
        for _ in range(5):
            await clock.advance(0.1)
            backend.budget.spend()
        assert await clock.until(lambda: outage.since is None, 100) >= 59
        assert len(backend.questions("is_up")) == 1

    asyncio.run(play())


def test_a_ping_that_fails_otherwise_is_no_answer() -> None:
    async def play() -> None:
        clock, backend, outage, _ = scene()

        async def is_up() -> bool:
            raise TargetError("There is no such cluster.")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(backend, "is_up", is_up)
            outage.begin(clock.time())
            await clock.advance(30)
            assert outage.since is not None
        await clock.until(lambda: outage.since is None, 5)

    asyncio.run(play())
