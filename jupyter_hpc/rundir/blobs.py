"""Texts that many runs share (diffs, lists of packages), kept once by their content below ``ROOT/blobs``.

A run that needs one holds a link to it, like to its large buffers: what no run links is removed with
`cleaning.drop_unused`, and a run directory that is copied elsewhere has all it needs.
"""

from __future__ import annotations

from pathlib import Path

from ..worker.digest import digest_bytes
from ..worker.regular import open_regular
from .run import Run
from .store import Store
from .unwritten import now_or_later

FOLDER = "blobs"  # in the run directory


def store_of(run: Run) -> Store:
    """Return the store that a run is in."""
    return Store((run.whole or run).path.parent.parent)


def keep(run: Run, data: bytes) -> str:
    """Keep a text for a run and return its digest; where the disk doesn't take it now, it waits.

    Raises
    ------
    OSError
        If the run is gone.
    """
    digest = digest_bytes(data)
    path = (run.whole or run).path / FOLDER / digest.partition(":")[2]

    def place() -> None:
        if not path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            store_of(run).place_buffer(str(path), memoryview(data), digest)

    now_or_later(path, place)
    return digest


def read(root: Path, digest: str | None) -> bytes | None:
    """Return a blob; None if it isn't there, or isn't what it was (cut off, changed)."""
    algorithm, _, value = (digest or "").partition(":")
    if algorithm not in ("b3", "sha256") or not value.isalnum():
        return None
    try:
        with open_regular(root / "blobs" / algorithm / value[:2] / value) as file:
            data = file.read()
    except OSError:
        return None
    try:
        return data if digest_bytes(data) == digest else None
    except LookupError:
        return None
