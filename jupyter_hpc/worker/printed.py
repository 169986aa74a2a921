"""Follows the log for numbers that a cell prints: at each heartbeat, and once more when it has ended.

What child processes write is in the log too, and whoever prints waits for nothing. Of a log that grows faster than
`MOST_BYTES` a beat only the end is read.
"""

from __future__ import annotations

import os
import threading

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Optional

    from .points import Points
    from .printed_lines import Lines

MOST_BYTES = 256 << 10  # that are read at one beat
A_BEAT, AT_THE_END = 500, 4000  # lines that are looked at closely
_SIGNS = (b"=", b":", b"poch", b"POCH")  # without one of them no line tells a number


class Printed:
    """Reads what is new in a log, and hands what its lines tell to the cell's series."""

    def __init__(self, path: str, points: Points) -> None:
        self._path = path
        self._points = points
        self._offset = _size(path)
        self._lines: Optional[Lines] = None
        self._lock = threading.Lock()

    def read(self, *, to_the_end: bool = False) -> None:
        """Take what is new; with ``to_the_end`` also a last line that has no end."""
        with self._lock:
            data = self._new()
            whole = len(data) if to_the_end else max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
            if not whole and len(data) == MOST_BYTES:  # what is so long is no line of numbers
                whole = len(data)
            self._offset += whole
            if self._lines is None and any(sign in data for sign in _SIGNS):
                from .printed_lines import Lines  # not for a cell that prints nothing of that kind

                self._lines = Lines()
            if self._lines is not None:
                text = data[:whole].decode("utf-8", "replace")
                for values, at, by in self._lines.points(text, AT_THE_END if to_the_end else A_BEAT):
                    self._points.printed(values, at, by)

    def _new(self) -> bytes:
        """Return what is beyond the offset, or its last lines where that is too much."""
        size = _size(self._path)
        if size <= self._offset:
            return b""
        skips = size - self._offset > MOST_BYTES
        begin = size - MOST_BYTES if skips else self._offset
        try:
            with open(self._path, "rb", buffering=0) as file:
                file.seek(begin)
                data = file.read(size - begin)
        except OSError:
            return b""
        if skips:
            first = data.find(b"\n") + 1
            begin, data = begin + first, data[first:]
        self._offset = begin
        return data


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
