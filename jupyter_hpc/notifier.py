"""Wake a loop when a file of a watched run changes."""

from __future__ import annotations

import asyncio
from typing import Any

from .jobs import Job

ENDS = ("result", "end.json")


class Notifier:
    """Sets an event when a file of a watched run changes; silent where inotify isn't there.

    Attributes
    ----------
    over : asyncio.Event
        Set when a result or an end arrives, which is worth a look at once.
    """

    def __init__(self, wake: asyncio.Event) -> None:
        self._wake = wake
        self.over = asyncio.Event()
        self._watches: dict[str, int] = {}
        self._inotify: Any = None
        try:
            from inotify_simple import INotify

            self._inotify = INotify(nonblocking=True)
            asyncio.get_running_loop().add_reader(self._inotify.fileno(), self._read)
        except (ImportError, OSError):  # not Linux, or the limit of instances: ticks are enough
            self._inotify = None

    def _read(self) -> None:
        if any(event.name in ENDS for event in self._inotify.read(timeout=0)):
            self.over.set()
        self._wake.set()

    def watch(self, job: Job) -> None:
        if self._inotify is None:
            return
        from inotify_simple import flags

        mask = flags.MODIFY | flags.MOVED_TO | flags.CREATE
        try:
            self._watches[job.id] = self._inotify.add_watch(str(job.run.path), mask)
        except OSError:  # the limit of watches
            pass

    def forget(self, job: Job) -> None:
        watch = self._watches.pop(job.id, None)
        if watch is not None:
            try:
                self._inotify.rm_watch(watch)
            except OSError:  # the directory is gone
                pass
