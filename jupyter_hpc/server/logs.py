"""Windows of a log by byte offset, and a search that doesn't read it into memory; an array's is that of its tasks.

A log may shrink while it is read: a requeue empties ``scheduler.log``. So it is read by pieces and never mapped,
since a mapped page that is no more ends the whole process (SIGBUS).
"""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ..model.exceptions import HPCError
from ..rundir.parts import parts_of
from ..rundir.run import Run
from ..worker.regular import NotRegular, open_regular

WINDOW = 256 << 10
PIECE = 1 << 20  # that is searched at once
MOST_MATCHES = 200
CONTEXT = 200
MOST_TASKS = 1000  # of an array whose logs are looked at

Source = Path | list[Run]  # a log, or the tasks of an array


def opened(path: Path) -> BinaryIO:
    """Open a log, which may be anything by now: a pipe would wait for a writer, and a device has no end.

    Raises
    ------
    FileNotFoundError
        If there is none yet.
    HPCError
        Saying why it can't be shown.
    """
    try:
        return open_regular(path)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(str(path)) from None
    except NotRegular:
        raise HPCError(f"The log or script {path.name} is no file.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "") or str(error)
        raise HPCError(f"The log or script {path.name} can't be read: {why}.") from None


def log_of(run: Run) -> Source:
    """Return where a run's log is."""
    return parts_of(run, run.record_or_none() or {})[:MOST_TASKS] or run.log


def window(source: Source, offset: int, limit: int) -> dict[str, Any]:
    """Return text from a byte offset.

    Parameters
    ----------
    offset : int
        Negative: so many bytes before the end, from the next line on.
    limit : int
        Bytes at most; `WINDOW` bounds it.

    Returns
    -------
    dict
        ``text`` (invalid UTF-8 replaced), ``offset`` where it begins, ``next`` where to go on, ``size`` of the log,
        ``tasks`` of an array.
    """
    tasks = [] if isinstance(source, Path) else [{"id": task.id, "task": task.index} for task in source]
    try:
        with _read(source) as log:
            start = max(0, log.size + offset) if offset < 0 else min(offset, log.size)
            data = log.read(start, start + max(1, min(limit, WINDOW)))
            size = log.size
            is_within_line = offset < 0 < start and log.read(start - 1, start) != b"\n"
    except FileNotFoundError:
        return {"text": "", "offset": 0, "next": 0, "size": 0, "tasks": tasks}
    if is_within_line:  # nor within a character
        line = data.find(b"\n") + 1
        character = next((i for i, byte in enumerate(data[:4]) if byte & 0xC0 != 0x80), 0)
        skipped = line if 0 < line < len(data) else character
        start, data = start + skipped, data[skipped:]
    whole = data[: len(data) - _cut_character(data)] or data
    return {
        "text": whole.decode("utf-8", "replace"),
        "offset": start,
        "next": start + len(whole),
        "size": size,
        "tasks": tasks,
    }


def whole(source: Source) -> Iterator[bytes]:
    """Give a log in pieces."""
    try:
        with _read(source) as log:
            for at in range(0, log.size, PIECE):
                yield log.read(at, min(at + PIECE, log.size))
    except FileNotFoundError:
        return


def _cut_character(data: bytes) -> int:
    """Return how many bytes at the end begin a character that isn't whole."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return back if length > back else 0
    return 0


def search(source: Source, text: str, start: int) -> dict[str, Any]:
    """Return where a text stands, from an offset on: the first `MOST_MATCHES` lines that hold it."""
    needle = text.encode()
    found: list[dict[str, Any]] = []
    try:
        with _read(source) as log:
            at = log.find(needle, max(0, start))
            while at >= 0 and len(found) < MOST_MATCHES:
                begin, end = log.line_begin(at), log.line_end(at)
                line = log.read(max(begin, at - CONTEXT), min(end, at + CONTEXT))
                found.append({"offset": at, "line_offset": begin, "line": line.decode("utf-8", "replace")})
                at = log.find(needle, max(end, at + 1))  # a text may begin with the end of a line
    except FileNotFoundError:
        return {"matches": [], "next": None}
    return {"matches": found, "next": at if at >= 0 else None}


@contextmanager
def _read(source: Source) -> Iterator[_Text]:
    if isinstance(source, Path):
        with opened(source) as file:
            yield _File(file.fileno())
    else:
        yield _Tasks(source)


class _Text:
    """A text as large as it was at first; what is gone meanwhile isn't found."""

    size = 0

    def read(self, begin: int, end: int) -> bytes:
        raise NotImplementedError

    def find(self, needle: bytes, start: int) -> int:
        """Return where a text stands next; -1 if nowhere."""
        if not needle:
            return -1
        while start < self.size:
            piece = self.read(start, min(self.size, start + PIECE + len(needle) - 1))
            at = piece.find(needle)
            if at >= 0:
                return start + at
            if not piece:
                break
            start += PIECE
        return -1

    def line_begin(self, at: int) -> int:
        while at > 0:
            begin = max(0, at - PIECE)
            newline = self.read(begin, at).rfind(b"\n")
            if newline >= 0:
                return begin + newline + 1
            at = begin
        return 0

    def line_end(self, at: int) -> int:
        end = self.find(b"\n", at)
        return end if end >= 0 else self.size


class _File(_Text):
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    def read(self, begin: int, end: int) -> bytes:
        return os.pread(self._descriptor, max(0, end - begin), begin)


class _Tasks(_Text):
    """The logs of an array's tasks one below the other, each under a line that says whose it is."""

    def __init__(self, tasks: list[Run]) -> None:
        self._begins: list[int] = []
        self._parts: list[tuple[bytes | Path, int]] = []
        for task in tasks:
            try:
                size = os.stat(task.log).st_size
            except OSError:  # it has not begun
                continue
            if size:
                head = f"── task {task.index} ──\n".encode()
                for part, length in ((head, len(head)), (task.log, size), (b"\n", 1)):
                    self._begins.append(self.size)
                    self._parts.append((part, length))
                    self.size += length

    def read(self, begin: int, end: int) -> bytes:
        found: list[bytes] = []
        first = max(0, bisect.bisect_right(self._begins, begin) - 1)
        for at, (part, length) in zip(self._begins[first:], self._parts[first:]):
            if at >= end:
                break
            found.append(_some(part, max(0, begin - at), min(length, end - at)))
        return b"".join(found)


def _some(part: bytes | Path, begin: int, end: int) -> bytes:
    """Return some bytes of a part; what is gone meanwhile leaves room, so that all else keeps its place."""
    if isinstance(part, bytes):
        return part[begin:end]
    try:
        with opened(part) as file:
            data = os.pread(file.fileno(), max(0, end - begin), begin)
    except (FileNotFoundError, HPCError):
        data = b""
    return data.ljust(max(0, end - begin))
