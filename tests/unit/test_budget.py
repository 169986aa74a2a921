"""How often a scheduler may be asked: never more than six times in any minute, and at once when it was quiet."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from jupyter_hpc.backends.budget import Budget


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def asked(steps: list[tuple[float, bool]], calls: int = 1) -> list[float]:
    """Ask as soon as the budget allows, after each pause; return when."""
    clock = Clock()
    budget = Budget(6, clock)
    times: list[float] = []
    for pause, urgent in steps:
        clock.now += pause
        if budget.wait_s(urgent=urgent) > 0:
            continue
        if urgent:
            budget.mark_urgent()
        for _ in range(calls):
            if budget.has_left():
                budget.spend()
                times.append(clock.now)
    return times


@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=300), st.integers(1, 2))
def test_never_more_than_six_in_a_minute(steps: list[tuple[float, bool]], calls: int) -> None:
    times = asked(steps, calls)
    assert all(b - a >= 60 for a, b in zip(times, times[6:]))


def test_an_eager_loop_is_answered_soon_and_then_seldom() -> None:
    times = asked([(0.01, True)] * 12_000)
    gaps = [b - a for a, b in pairwise(times)]
    assert gaps[0] <= 0.52 and gaps[1] <= 2.02
    assert len(times) <= 13


def test_routine_leaves_room_for_what_is_urgent() -> None:
    clock = Clock()
    budget = Budget(6, clock)
    for _ in range(1800):  # ten minutes of routine
        clock.now += 1 / 3
        if budget.wait_s(urgent=False) <= 0:
            budget.spend()
        assert budget.wait_s(urgent=True) == 0.0


def test_routine_goes_on_every_quarter_of_a_minute() -> None:
    times = asked([(0.5, False)] * 1200)
    assert max(b - a for a, b in pairwise(times)) <= 23
    assert len(times) >= 10 * 4


def test_no_limit_where_asking_costs_nobody() -> None:
    budget = Budget(None, Clock())
    for _ in range(100):
        budget.spend()
    assert budget.wait_s(urgent=False) == 0.0 and budget.has_left()
