"""One background event loop for the synchronous façade.

A notebook's own loop already runs in the main thread, so the core's coroutines run in a thread of their own;
everything synchronous goes through :func:`call` or :func:`start`.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures.thread
import os
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
END_S = 5.0
_lock = threading.Lock()
_unsaid, _said = 0, threading.Condition()
_loop: asyncio.AbstractEventLoop | None = None


def loop() -> asyncio.AbstractEventLoop:
    """Return the background loop, started at first use."""
    global _loop
    with _lock:
        if _loop is None:
            ready = threading.Event()
            _loop = asyncio.new_event_loop()
            _loop.call_soon(ready.set)
            threading.Thread(target=_loop.run_forever, name="jupyter_hpc portal", daemon=True).start()
            ready.wait()
        return _loop


def start(coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Start a coroutine on the background loop."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop())


def call(coroutine: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
    """Run a coroutine on the background loop and wait for it; an interrupt here cancels it there.

    Raises
    ------
    TimeoutError
        If it takes longer than ``timeout_s`` seconds.
    """
    future = start(coroutine)
    try:
        return future.result(timeout_s)
    except concurrent.futures.TimeoutError:
        if future.done():
            raise
        future.cancel()
        raise TimeoutError(f"no answer in {timeout_s:g} s") from None
    except BaseException:
        future.cancel()
        raise


def is_ending() -> bool:
    """Whether this process ends: what goes on in the background fails from now on, and that is no news."""
    # workers are refused, and waited for, while the main thread still counts as alive
    return getattr(concurrent.futures.thread, "_shutdown", False) or not threading.main_thread().is_alive()


@contextmanager
def last_words() -> Iterator[None]:
    """What the other side waits for is said before this process ends, if that takes no longer than `END_S`."""
    global _unsaid
    with _said:
        _unsaid += 1
    try:
        yield
    finally:
        with _said:
            _unsaid -= 1
            _said.notify_all()


def _let_them_be_said() -> None:
    with _said:
        _said.wait_for(lambda: not _unsaid, END_S)


def _forget_after_fork() -> None:
    """A forked child has no portal thread: it starts its own when it needs one."""
    global _loop, _lock, _unsaid, _said
    _loop, _lock = None, threading.Lock()
    _unsaid, _said = 0, threading.Condition()


atexit.register(_let_them_be_said)


os.register_at_fork(after_in_child=_forget_after_fork)
