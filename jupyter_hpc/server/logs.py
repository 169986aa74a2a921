"""Windows of a log by byte offset, and a search that doesn't read it into memory.

A log may shrink while it is read: a requeue empties ``scheduler.log``. So it is read by pieces and never mapped,
since a mapped page that is no more ends the whole process (SIGBUS).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

from ..model.exceptions import HPCError
from ..worker.regular import NotRegular, open_regular

WINDOW = 256 << 10
PIECE = 1 << 20  # that is searched at once
MOST_MATCHES = 200
CONTEXT = 200


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


def window(path: Path, offset: int, limit: int) -> dict[str, Any]:
    """Return text from a byte offset.

    Parameters
    ----------
    offset : int
        Negative: so many bytes before the end.
    limit : int
        Bytes at most; `WINDOW` bounds it.

    Returns
    -------
    dict
        ``text`` (invalid UTF-8 replaced), ``offset`` where it begins, ``next`` where to go on, ``size`` of the file.
    """
    try:
        with opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            start = max(0, size + offset) if offset < 0 else min(offset, size)
            file.seek(start)
            data = file.read(max(1, min(limit, WINDOW)))
    except FileNotFoundError:
        return {"text": "", "offset": 0, "next": 0, "size": 0}
    if offset < 0:  # not in the middle of a character
        skipped = next((i for i, byte in enumerate(data[:4]) if byte & 0xC0 != 0x80), 0)
        start, data = start + skipped, data[skipped:]
    whole = data[: len(data) - _cut_character(data)] or data
    return {
        "text": whole.decode("utf-8", "replace"),
        "offset": start,
        "next": start + len(whole),
        "size": size,
    }


def _cut_character(data: bytes) -> int:
    """Return how many bytes at the end begin a character that isn't whole."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return back if length > back else 0
    return 0


def search(path: Path, text: str, start: int) -> dict[str, Any]:
    """Return where a text stands, from an offset on: the first `MOST_MATCHES` lines that hold it."""
    needle = text.encode()
    found: list[dict[str, Any]] = []
    try:
        with opened(path) as file:
            log = _Pieces(file.fileno())
            at = log.find(needle, max(0, start))
            while at >= 0 and len(found) < MOST_MATCHES:
                begin, end = log.line_begin(at), log.line_end(at)
                line = log.read(max(begin, at - CONTEXT), min(end, at + CONTEXT))
                found.append({"offset": at, "line_offset": begin, "line": line.decode("utf-8", "replace")})
                at = log.find(needle, max(end, at + 1))  # a text may begin with the end of a line
    except FileNotFoundError:
        return {"matches": [], "next": None}
    return {"matches": found, "next": at if at >= 0 else None}


class _Pieces:
    """A file as large as it was at first; what is gone meanwhile isn't found."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size

    def read(self, begin: int, end: int) -> bytes:
        return os.pread(self._descriptor, max(0, end - begin), begin)

    def find(self, needle: bytes, start: int) -> int:
        """Return where a text stands next; -1 if nowhere."""
        if not needle:
            return -1
        while start < self._size:
            piece = self.read(start, min(self._size, start + PIECE + len(needle) - 1))
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
        return end if end >= 0 else self._size
