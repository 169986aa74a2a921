"""Wake a watcher when a file of a run that it watches changes.

A user may have few inotify instances (128 by default, shared by all processes of the user), so a process takes one
while it follows jobs and a minute more, of however many targets and stores.
"""

from __future__ import annotations

import asyncio
import os
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

from ..rundir.run import Run

ENDS = ("result", "end.json")
IDLE_S = 60.0  # kept for the next job: Linux takes milliseconds to close one, in which nothing goes on


class Notifier:
    """Sets an event when a file of a watched run changes; silent where inotify isn't there.

    Attributes
    ----------
    over : asyncio.Event
        Set when a result or an end arrives, which is worth a look at once.
    touched : set of str
        The runs with files that changed, until somebody empties it.
    """

    def __init__(self, wake: asyncio.Event) -> None:
        self._wake = wake
        self.over = asyncio.Event()
        self.touched: set[str] = set()
        self._watches: dict[str, int] = {}
        self._changes = _changes_of_this_loop()

    def changed(self, run_id: str, name: str) -> None:
        """A file of this name in the folder of a watched run is new or has changed."""
        if name in ENDS:
            self.over.set()
        self.touched.add(run_id)
        self._wake.set()

    def watch(self, run: Run) -> None:
        watch = self._changes.tell(self, run)
        if watch is not None:
            self._watches[run.id] = watch

    def forget(self, run: Run) -> None:
        watch = self._watches.pop(run.id, None)
        if watch is not None:
            self._changes.tell_no_more(self, run, watch)


class _Changes:
    """The inotify instance of an event loop, there while a folder is watched, and who is told of which folder."""

    def __init__(self) -> None:
        self._told: dict[int, list[tuple[Notifier, str]]] = {}
        self._inotify: Any = None
        self._idle: asyncio.TimerHandle | None = None

    def __del__(self) -> None:
        if self._inotify is not None:
            self._inotify.close()

    def tell(self, notifier: Notifier, run: Run) -> int | None:
        """Tell of changes in a run's folder from now on; returns its number, None where nothing can be told."""
        try:
            from inotify_simple import INotify, flags

            if self._inotify is None:
                self._inotify = INotify(nonblocking=True)
                asyncio.get_running_loop().add_reader(self._inotify.fileno(), self._read)
            watch: int = self._inotify.add_watch(str(run.path), flags.MODIFY | flags.MOVED_TO | flags.CREATE)
        except (ImportError, OSError):  # not Linux, or a limit of instances or watches: ticks are enough
            return None
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        self._told.setdefault(watch, []).append((notifier, run.id))  # one folder has one number
        return watch

    def tell_no_more(self, notifier: Notifier, run: Run, watch: int) -> None:
        told = self._told[watch]
        told.remove((notifier, run.id))
        if told:
            return
        del self._told[watch]
        try:
            self._inotify.rm_watch(watch)
        except OSError:  # the directory is gone
            pass
        if not self._told:
            self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._close)

    def _close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._inotify.fileno())
        self._inotify.close()
        self._inotify = self._idle = None

    def _read(self) -> None:
        for event in self._inotify.read(timeout=0):
            told = self._told.get(event.wd, [])
            if event.wd < 0:  # more happened than the kernel kept: whoever is told anything
                told = list(chain.from_iterable(self._told.values()))
            for notifier, run_id in told:
                notifier.changed(run_id, event.name)


_changes: WeakKeyDictionary[asyncio.AbstractEventLoop, _Changes] = WeakKeyDictionary()


def _changes_of_this_loop() -> _Changes:
    loop = asyncio.get_running_loop()
    if loop not in _changes:
        _changes[loop] = _Changes()
    return _changes[loop]


os.register_at_fork(after_in_child=_changes.clear)
