"""When a scheduler first said that it doesn't know a job that nobody follows, kept for the next process that asks.

A shell's command asks once and ends. One answer without the job may be a server that was just started, or a list that
is a moment old, so it takes a second one: by another process most often, which learns of the first one here.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ..rundir.run import Run

MARK = "unknown"  # in the run directory; made at the first answer without the job, removed at one with it


def note(run: Run) -> None:
    """Keep the time of this answer, if it is the first; to be asked about is no change in the directory."""
    with suppress(OSError):  # a full disk: then only the process that goes on asking will know
        before = run.path.stat()
        os.close(os.open(run.path / MARK, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        os.utime(run.path, ns=(before.st_atime_ns, before.st_mtime_ns))


def answers(run: Run) -> list[float]:
    """Return when the first answer without the job came, in seconds since the epoch; empty if none did."""
    try:
        return [(run.path / MARK).stat().st_mtime]
    except OSError:
        return []


def forget(run: Run) -> None:
    """The scheduler knows it again."""
    with suppress(OSError):
        (run.path / MARK).unlink()
