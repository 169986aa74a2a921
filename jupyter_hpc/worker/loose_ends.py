"""What a cell leaves running: tasks, threads, and child processes that run on into the worker's own code.

A kernel lives on, and so do they. A job ends with its cell, so it waits for them first, as a Python process waits
for its threads at its end: says what for, and stops waiting when it is cancelled or its time is over.
"""

from __future__ import annotations

import os
import sys
import threading
import time

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, List, NoReturn, Optional

    from .events import LogFile

SAY_AFTER_S = 1.0
LOOK_S = 0.1
MOST_NAMED = 3


class LooseEnds:
    """Made when the cell begins, by its process; asked when its code has ended."""

    def __init__(self, log: LogFile, labels: Dict[str, str]) -> None:
        self._log = log
        self._labels = labels
        self._pid = os.getpid()
        self._before = set(threading.enumerate())

    # -- threads and tasks -----------------------------------------------------------------------

    def wait(self, loop: Any) -> None:
        """Let the event loop go on, if there is one, until no task of the cell and no thread is left."""
        began, said = time.monotonic(), False
        if loop is not None:
            from . import asynchronous

            asynchronous.go_on(loop, 0)  # what was only to be called soon
        while True:
            threads = self._threads()
            left = [f"the thread {thread.name}" for thread in threads]
            if loop is not None:
                left = asynchronous.unfinished(loop) + left
            if not left:
                return
            if not said and time.monotonic() - began > SAY_AFTER_S:
                said = True
                self._say(left)
            if loop is not None:
                asynchronous.go_on(loop, LOOK_S)
            else:
                threads[0].join(LOOK_S)

    def _threads(self) -> List[threading.Thread]:
        """Return the threads that keep a Python process alive and were started by the cell."""
        return [
            thread
            for thread in threading.enumerate()
            if thread not in self._before and not thread.daemon and not _is_idle(thread)
        ]

    def _say(self, left: List[str]) -> None:
        more = len(left) - MOST_NAMED
        named = [*left[:MOST_NAMED], f"{more} more"] if more > 0 else left
        words = ", ".join(named[:-1]) + " and " + named[-1] if len(named) > 1 else named[0]
        pronoun = "runs" if len(left) == 1 else "run"
        self._log.flush()
        self._log.write("stderr", f"The cell has ended; its job waits for {words}, which still {pronoun}.\n".encode())

    # -- children --------------------------------------------------------------------------------

    def end_if_child(self, error: Optional[BaseException]) -> None:
        """End here where this is a fork of the cell's process: names and result are its parent's to save."""
        if os.getpid() != self._pid:
            self._end(error)

    def _end(self, error: Optional[BaseException]) -> NoReturn:
        status = 1
        try:
            if error is None:
                status = 0
            elif isinstance(error, SystemExit):
                status = self._status(error.code)
            else:
                from .cell import format_traceback

                sys.stderr.write(format_traceback(error, self._labels))
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
        finally:
            os._exit(status)

    @staticmethod
    def _status(code: Any) -> int:
        if code is None:
            return 0
        if isinstance(code, int):
            return code & 0xFF
        sys.stderr.write(f"{code}\n")
        return 1


def _is_idle(thread: Any) -> bool:
    """Tell whether a thread of a pool only waits for work; a process that ends doesn't wait for such."""
    pending = getattr(thread, "pending_work_items", None)  # the manager of a ProcessPoolExecutor
    if isinstance(pending, dict):
        return not pending
    pools = sys.modules.get("concurrent.futures.thread")
    queue = pools._threads_queues.get(thread) if pools is not None else None
    if queue is None:
        return False
    frame = sys._current_frames().get(thread.ident or 0)
    return bool(queue.empty()) and (frame is None or frame.f_code.co_name == "_worker")
