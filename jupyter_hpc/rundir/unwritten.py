"""What a full or read-only disk does not take: it waits in this process, and is tried again until it is written.

Nobody waits for room on a disk. Fields of a record that wait are seen by this process already; every other process
judges by the files, as this one did. What another process writes meanwhile is newer and stays.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..runtime import portal
from ..worker.room import MAY_PASS

FIRST_S = 1.0  # to the first try; twice as long before each other one
MOST_S = 5.0
_ERRNOS = MAY_PASS | {errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE}  # here what is missing may be a right
END = "verdict"  # the field that makes a record one of a run that has ended
Fields = dict[str, Any]
_fields: dict[Path, list[tuple[Fields, Fields]]] = {}  # by run directory: what waits, and what stood in its place
_tries: dict[Path, Callable[[], object]] = {}  # writes what waits for a path, or raises OSError
_is_trying = False
_lock = threading.Lock()


def may_pass(error: BaseException) -> bool:
    """Whether what can't be written now may be later: no room, no right, a disk that is out of reach."""
    return isinstance(error, OSError) and error.errno in _ERRNOS


def later(path: Path, write: Callable[[], object]) -> None:
    """Try again to write something, until that raises no OSError that may pass."""
    global _is_trying
    with _lock:
        _tries[path] = write
        is_first, _is_trying = not _is_trying, True
    if is_first:
        portal.start(_try_again())


def now_or_later(path: Path, write: Callable[[], object]) -> None:
    """Write something, now or as soon as the disk lets us.

    Raises
    ------
    OSError
        If it is nothing that may pass.
    """
    try:
        write()
    except OSError as error:
        if not may_pass(error):
            raise
        later(path, write)


def try_now(path: Path) -> bool:
    """Try again to write what waits for a path; tell whether nothing waits any more."""
    write = _tries.get(path)
    if write is None:
        return True
    try:
        write()
    except Exception as error:  # a border: one damaged run must not keep the others from being written
        if may_pass(error):
            return False
        logging.getLogger(__name__).warning("%s can't be written: %r", path, error)
    _tries.pop(path, None)
    return True


async def _try_again() -> None:
    global _is_trying
    pause = FIRST_S
    while True:
        await asyncio.sleep(pause)
        pause = min(2 * pause, MOST_S)
        for path in list(_tries):
            try_now(path)
        with _lock:
            if not _tries:
                _is_trying = False
                return


def remove(path: Path) -> None:
    """Remove a file, now or as soon as the disk lets us."""
    with suppress(OSError):  # there is something else in its place
        now_or_later(path, lambda: path.unlink(missing_ok=True))


# -- fields of a record ----------------------------------------------------------------------------


def keep(run: Path, fields: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    """Let fields of a record wait.

    Parameters
    ----------
    record : mapping
        As it is on the disk now.
    """
    waiting = [(new, old) for new, old in _fields.get(run, []) if not new.keys() <= fields.keys()]
    if fields:
        waiting.append((dict(fields), {name: record.get(name) for name in fields}))
    _fields[run] = waiting


def with_waiting(run: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record that was read with what waits for it, but for what another process has written meanwhile."""
    found = dict(record)
    for new, old in _fields.get(run, []):
        asked = (END,) if END in new else new  # an end is one: the first that is written stays, whole
        changed = {name for name in asked if record.get(name) != old[name]}
        found.update({} if END in changed else {k: v for k, v in new.items() if k not in changed})
    return found


def waits(run: Path) -> bool:
    """Whether fields of a run's record wait."""
    return run in _fields


def forget(run: Path) -> None:
    """The fields of a run's record are written, or it is gone."""
    _fields.pop(run, None)
    _tries.pop(run, None)


def _forget_after_fork() -> None:
    """What waits is the parent's to write."""
    global _is_trying, _lock
    _fields.clear()
    _tries.clear()
    _is_trying, _lock = False, threading.Lock()


os.register_at_fork(after_in_child=_forget_after_fork)
