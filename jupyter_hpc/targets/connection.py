"""This process's one line to each target's scheduler: who submits, follows and looks asks through it."""

from __future__ import annotations

import os
from collections.abc import Callable

from ..backends.base import Backend
from ..backends.budget import Budget
from ..runtime.clock import CLOCK, Clock
from .outage import Outage
from .target import Target
from .targets import target


def _nothing(_: float) -> None:
    pass


class Connection:
    """A target's backend, and whether its scheduler answers.

    Parameters
    ----------
    backend : Backend, optional
        The target's own if left out.
    clock : Clock
        By which whoever uses the connection waits.

    Attributes
    ----------
    on_silence, on_answer : callable
        Called with the time of the question that got no answer, when an outage begins and when it is over.
    is_busy : callable
        Whether somebody still needs the backend.
    """

    def __init__(self, target: Target, backend: Backend | None = None, clock: Clock = CLOCK) -> None:
        self.target = target
        self.clock = clock
        self.backend: Backend = backend or target.make_backend()
        self.outage = Outage(self.backend, self._answers, clock)
        self.on_silence: Callable[[float], None] = _nothing
        self.on_answer: Callable[[float], None] = _nothing
        self.is_busy: Callable[[], bool] = bool

    def went_away(self, asked: float) -> None:
        """A question got no answer: no other is asked until a ping gets one."""
        self.outage.begin(asked)
        self.on_silence(asked)

    def _answers(self, since: float) -> None:
        self.on_answer(since)


_connections: dict[str, Connection] = {}
os.register_at_fork(after_in_child=_connections.clear)


def budgets() -> dict[str, Budget]:
    """Return how much each target's scheduler was asked by this process."""
    return {name: each.backend.budget for name, each in list(_connections.items())}


async def connection_of(name: str) -> Connection:
    """Return the connection of a target, made at first use, and anew when its settings changed."""
    found = target(name)
    known = _connections.get(name)
    if known is None or known.target != found:
        if known is not None and not known.is_busy():
            await known.backend.close()
        known = _connections[name] = Connection(found)
    return known
