"""Windows of a log by byte offset, and a search that doesn't read it into memory."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Any

WINDOW = 256 << 10
MOST_MATCHES = 200
CONTEXT = 200


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
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = max(0, size + offset) if offset < 0 else min(offset, size)
            file.seek(start)
            data = file.read(max(1, min(limit, WINDOW)))
    except (FileNotFoundError, NotADirectoryError):
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
        with open(path, "rb") as file:
            if not os.fstat(file.fileno()).st_size:
                return {"matches": [], "next": None}
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                at = data.find(needle, max(0, start))
                while at >= 0 and len(found) < MOST_MATCHES:
                    begin, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
                    end = len(data) if end < 0 else end
                    line = data[max(begin, at - CONTEXT) : min(end, at + CONTEXT)]
                    found.append({"offset": at, "line_offset": begin, "line": line.decode("utf-8", "replace")})
                    at = data.find(needle, end)
    except (FileNotFoundError, NotADirectoryError):
        return {"matches": [], "next": None}
    return {"matches": found, "next": at if at >= 0 else None}
