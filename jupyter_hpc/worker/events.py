"""The worker's event file (``events.jsonl``) and its log, kept in one order.

Text goes to the log, everything else to the event file. An event that has a place in the text carries
``at``, the log's size when it happened; ``stream`` events say where the text changes between stdout and
stderr. A reader that takes the log's size first and the events after can always merge the two.
"""

from __future__ import annotations

import io
import json
import os
import threading
import time

from . import allocation
from .room import may_come

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Optional

EVENTS = "events.jsonl"
LOG = "log"
MOST_WAITING = 4 << 20
_NUMBERS = {
    "stdout": b"1",
    "stderr": b"2",
    "traceback": b"3",
}  # the last is the cell's own, which is raised elsewhere


class _Appender:
    """Appends to an open file. What a full disk doesn't take waits, in order, for the next write or heartbeat.

    Attributes
    ----------
    waiting : bytes
        What waits, at most `MOST_WAITING` bytes.
    refused : OSError, optional
        Why it waits.
    """

    def __init__(self, descriptor: int) -> None:
        self.waiting = b""
        self.refused: Optional[OSError] = None
        self._descriptor = descriptor

    def append(self, data: Any) -> None:
        """Write, or keep until there is room; raises OSError if there is no use in waiting, or too much waits."""
        view = memoryview(data)
        if self.drained():
            try:
                while view:
                    view = view[os.write(self._descriptor, view) :]
                return
            except OSError as error:
                self.refused = error
                if not may_come(error):
                    raise
        if len(self.waiting) + len(view) > MOST_WAITING:
            assert self.refused is not None
            raise self.refused
        self.waiting += view

    def drained(self) -> bool:
        """Try to write what waits; tell whether nothing waits any more."""
        try:
            while self.waiting:
                self.waiting = self.waiting[os.write(self._descriptor, self.waiting) :]
        except OSError as error:
            self.refused = error
            if not may_come(error):
                self.waiting = b""
        return not self.waiting

    def why_waiting(self) -> Optional[OSError]:
        """Try to write what waits; return why it can't be, None if nothing waits any more."""
        return None if self.drained() else self.refused


class EventWriter:
    """Appends JSON lines; one ``os.write`` for each, so that lines never mix."""

    def __init__(self, directory: str) -> None:
        self.path = os.path.join(directory, EVENTS)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._fd = os.open(self.path, flags, 0o600)
        # an attempt that the scheduler took back was here; of a build there are events before the start
        self.has_earlier = b'"e": "started"' in os.pread(self._fd, 8192, 0)
        self.appender = _Appender(self._fd)
        self.lock = threading.RLock()

    def write(self, event: str, **fields: Any) -> None:
        line = json.dumps({"e": event, "t": round(time.time(), 4), **fields}, default=repr)
        with self.lock:
            self.appender.append(line.encode() + b"\n")

    def beat(self) -> None:
        """Show that the worker lives, without a byte written."""
        os.utime(self._fd)
        self.why_waiting()

    def why_waiting(self) -> Optional[OSError]:
        """Try to write what waits; return why it can't be, None if nothing waits any more."""
        with self.lock:
            return self.appender.why_waiting()


class LogFile:
    """The log: file descriptors 1 and 2 point to it, so that child processes and C code write there too."""

    def __init__(self, directory: str, events: EventWriter) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self.path = os.path.join(directory, LOG)
        fd = os.open(self.path, flags, 0o600)
        os.dup2(fd, 1)
        os.dup2(fd, 2)
        os.close(fd)
        self.appender = _Appender(1)
        self._events = events
        self._current: Any = bytearray(b"1")  # the stream written last, by the number of its file
        self._drawn: Optional[int] = None  # how long the line is that is drawn again and again, if it is the last
        self._is_at_start = True
        self._is_within_line = False
        self.lock = threading.RLock()
        self.streams = {name: _Stream(self, name) for name in ("stdout", "stderr")}
        os.register_at_fork(
            before=self._before_fork, after_in_parent=self._after_fork, after_in_child=self._after_fork_in_child
        )
        self._begin_attempt()

    def _begin_attempt(self) -> None:
        """The text of attempts that the scheduler took back stays, above a line that says so."""
        if not self._events.has_earlier:
            return
        number = max(allocation.described(os.environ).get("attempt", 1), 2)
        size = self.size()
        self._events.write("attempt", number=number, at=size)
        if size:
            self.write("stdout", f"\n──── attempt {number} on {os.uname().nodename} ────\n".encode())

    def _before_fork(self) -> None:
        """A child writes to the same log: nothing that waits is written twice, and both know the last stream."""
        self.lock.acquire()
        self.flush()
        if isinstance(self._current, bytearray):
            import mmap

            current, self._current = self._current, mmap.mmap(-1, 1)
            self._current[:] = current
        self._events.lock.acquire()

    def _after_fork(self) -> None:
        self._events.lock.release()
        self.lock.release()

    def _after_fork_in_child(self) -> None:
        self.appender.waiting = self._events.appender.waiting = b""  # it is the parent's to write
        self._after_fork()

    def draw(self, text: str, *, keep: bool = False) -> None:
        """Draw a line over the one that was drawn last; ``keep``: nothing is drawn over it any more."""
        with self.lock:
            for stream in self.streams.values():
                stream.flush()
            before, is_there, self._drawn = self._drawn or 0, self._drawn is not None, None
            if text or before:
                begin = "\r" if is_there or self._is_at_start else "\n"
                end = "\n" if keep else ""
                self.write("stdout", f"{begin}{text.ljust(before)}{end}".encode("utf-8", "replace"))
            self._drawn = len(text) if (text or is_there) and not keep else None

    def write(self, name: str, data: bytes) -> None:
        with self.lock:
            if self._drawn is not None:  # it goes, and is drawn again below
                self.draw("")
                self._drawn, data = None, b"\r\x1b[K" + data
            self._is_at_start = data[-1:] in (b"\n", b"\r")
            number = _NUMBERS[name]
            if self._current[:] != number:
                self._events.write("stream", name=name, at=self.size())
                self._current[:] = number
            try:
                self.appender.append(data)
            except OSError as error:
                error.filename = self.path  # a full disk: say which
                raise
            if data:
                self._is_within_line = not data.endswith(b"\n")

    def write_traceback(self, text: str) -> None:
        """Write how the cell failed, as a kernel shows it below what the cell wrote."""
        self.flush()
        import re

        acts = "\x1b(?!\\[[0-9;:]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]"  # all but colours: it might erase itself
        text = re.sub(acts, lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
        text = f"\n{text}" if self._is_within_line and self._drawn is None else text
        self.write("traceback", text.encode("utf-8", "backslashreplace"))

    def event(self, event: str, **fields: Any) -> None:
        """Write an event at this place in the text."""
        with self.lock:
            self.flush()
            self._events.write(event, at=self.size(), **fields)

    def size(self) -> int:
        """What it is, or will be when what waits is written."""
        return os.fstat(1).st_size + len(self.appender.waiting)

    def flush(self) -> None:
        for stream in self.streams.values():
            stream.flush()
        self.why_waiting()

    def why_waiting(self) -> Optional[OSError]:
        """Try to write what waits; return why it can't be, None if nothing waits any more."""
        with self.lock:
            return self.appender.why_waiting()


class _Stream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr`` of the cell: written through at each line end."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, log: LogFile, name: str) -> None:
        self._log = log
        self.name = name
        self._pending: list[str] = []
        self.buffer = _Bytes(log, name)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1 if self.name == "stdout" else 2

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        with self._log.lock:
            self._pending.append(text)
            if "\n" in text or "\r" in text:
                self.flush()
        return len(text)

    def flush(self) -> None:
        with self._log.lock:
            if self._pending:
                data = "".join(self._pending).encode("utf-8", self.errors)
                self._pending.clear()
                self._log.write(self.name, data)


class _Bytes(io.RawIOBase):
    """``sys.stdout.buffer``."""

    def __init__(self, log: LogFile, name: str) -> None:
        self._log = log
        self._name = name

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._log.streams[self._name].flush()
        self._log.write(self._name, bytes(data))
        return len(data)
