"""The event loop of a cell: as in a kernel it is there while the cell's body runs, and goes on after it.

A kernel runs each cell inside its running loop, so ``asyncio.create_task`` needs no ``await`` there. Here the loop
is only *said* to run while plain statements do, and really runs while one of them awaits and after the last. So what
a kernel refuses, ``asyncio.run`` in a cell, works as well. A cell that has nothing to do with asyncio doesn't pay
for importing it.
"""

from __future__ import annotations

import asyncio
from asyncio.base_events import BaseEventLoop

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Callable, List

CLOSE_S = 5.0  # a task that won't be cancelled


class CellLoop(asyncio.SelectorEventLoop):
    """A loop that says it runs while it stands still between two statements."""

    def is_running(self) -> bool:
        return super().is_running() or asyncio._get_running_loop() is self


class _NotSaid:
    """Take back for a while that the cell's loop runs, unless it really does."""

    def __init__(self, loop: CellLoop) -> None:
        self._loop = loop
        self._said = False

    def __enter__(self) -> None:
        really = BaseEventLoop.is_running(self._loop)
        self._said = not really and asyncio._get_running_loop() is self._loop
        if self._said:
            asyncio._set_running_loop(None)

    def __exit__(self, *_: object) -> None:
        if self._said and not self._loop.is_closed():
            asyncio.set_event_loop(self._loop)  # asyncio.run leaves none
            asyncio._set_running_loop(self._loop)


def begin() -> CellLoop:
    """Make the cell's loop and say that it runs; running any loop between two statements stays possible."""
    loop = CellLoop()
    asyncio.set_event_loop(loop)
    for owner in (BaseEventLoop, getattr(asyncio, "Runner", None)):  # Runner is new in Python 3.11
        for name in ("run", "run_forever", "run_until_complete"):
            if hasattr(owner, name):
                setattr(owner, name, _allowed(getattr(owner, name), loop))
    asyncio.run = _allowed(asyncio.run, loop)
    asyncio._set_running_loop(loop)
    return loop


def _allowed(run: Callable[..., Any], loop: CellLoop) -> Callable[..., Any]:
    import functools

    @functools.wraps(run)
    def running(*args: Any, **kwargs: Any) -> Any:
        with _NotSaid(loop):
            return run(*args, **kwargs)

    return running


def unfinished(loop: Any) -> List[str]:
    """Return in words what the cell left running: tasks, and its own functions that are to be called later."""
    found = [f"the task {_name(task.get_coro())}()" for task in asyncio.all_tasks(loop) if not task.done()]
    timers = [timer for timer in getattr(loop, "_scheduled", ()) if not timer.cancelled()]
    own = [t for t in timers if getattr(t._callback, "__module__", "") == "__main__"]  # for others' nobody waits
    return found + [f"a call of {_name(timer._callback)}()" for timer in own]


def _name(function: Any) -> str:
    return str(getattr(function, "__qualname__", "") or type(function).__name__)


def go_on(loop: Any, seconds: float) -> None:
    """Let the loop run for a while, or until one of its tasks ends."""

    async def some_time() -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if others:
            await asyncio.wait(others, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(seconds)

    loop.run_until_complete(some_time())


def close(loop: Any) -> None:
    """End the loop; what still runs is cancelled."""
    if loop.is_closed():
        return
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=CLOSE_S))
    loop.run_until_complete(loop.shutdown_asyncgens())
    asyncio._set_running_loop(None)
    asyncio.set_event_loop(None)
    loop.close()
