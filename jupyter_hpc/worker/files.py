"""Files that a cell reads and writes, as it declares them: each becomes an event with the file's digest."""

from __future__ import annotations

import os
import threading
import time

from . import current
from .digest import CHUNK, Hasher
from .regular import open_regular

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Set

USED, GENERATED = "used", "generated"
MOST_FILES = 100_000  # of a folder
END_S = 10.0  # how long what the cell assigned may wait for digests before it is saved


class Files:
    """Records each declared file.

    Parameters
    ----------
    write : callable
        Gets a record by keywords.
    began : float
        When the cell began.
    """

    def __init__(self, write: Callable[..., None], began: float) -> None:
        self.write = write
        self.began = began
        self.declared: Set[str] = set()
        self._reading: Optional[threading.Thread] = None

    def begin(self, reads: List[str]) -> None:
        """Digest what the cell is going to read, beside it: a large file must not keep a node waiting."""
        states = [(path, _state(path)) for path in map(whole, reads)]
        self.declared.update(path for path, _ in states)
        self._reading = threading.Thread(target=self._read, args=(states,), daemon=True)
        self._reading.start()

    def _read(self, states: Any) -> None:
        for path, before in states:
            found = record(path, before)
            if before and _state(path) != before:  # the cell wrote it meanwhile: the digest is of neither
                found.update(digest=None, why="it was changed while it was read")
            self.write(role=USED, name=None, **found)

    def declare(self, path: Any, name: Optional[str] = None) -> Any:
        """Record a file or folder and return its path; one that is older than the cell was read, not written."""
        place = whole(os.fspath(path))
        state = _state(place)
        if state is None:
            raise FileNotFoundError(2, "artifact() is for a file or folder that exists", place)
        self.declared.add(place)
        role = GENERATED if state[1] >= self.began - 1 else USED
        self.write(role=role, name=name, **record(place, state))
        return path

    def end(self, writes: List[str], *, hurry: bool) -> None:
        """Digest what the cell has written, as far as there is time; in a hurry, only say what is there."""
        deadline = time.monotonic() + (0 if hurry else END_S)
        for path in map(whole, writes):
            self.declared.add(path)
            self.write(role=GENERATED, name=None, **record(path, _state(path), deadline))
        if self._reading is not None:
            self._reading.join(max(0.0, deadline - time.monotonic()))


def whole(path: str) -> str:
    """Return a path as a record has it."""
    return os.path.abspath(os.path.expanduser(path))


def _state(path: str) -> Any:
    """Return size and time of change; of a folder the sum and the latest; None if there is nothing."""
    try:
        info = os.stat(path)
        if not os.path.isdir(path):
            return info.st_size, info.st_mtime
        stats = [os.stat(each) for each in inside(path)]
    except OSError:
        return None
    return sum(i.st_size for i in stats), max([info.st_mtime, *(i.st_mtime for i in stats)])


def inside(folder: str) -> List[str]:
    """Return the files of a folder, in order."""
    found: List[str] = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        found += [os.path.join(place, name) for name in sorted(names)]
        if len(found) > MOST_FILES:
            break
    return found


def record(path: str, state: Any, deadline: float = float("inf")) -> Dict[str, Any]:
    """Return what is recorded of a file, with its digest if that takes not longer than the deadline."""
    found: Dict[str, Any] = {"path": path, "digest": None}
    if state is None:
        return {**found, "nbytes": None, "mtime": None, "why": "it is not there"}
    found.update(nbytes=state[0], mtime=state[1])
    try:
        found["digest"] = _digest_folder(path, deadline) if os.path.isdir(path) else _digest(path, deadline)
    except _TooLong:
        found["why"] = "there was no time to read it when the job ended; artifact() in the cell takes its time"
    except OSError as error:
        found["why"] = f"it can't be read: {error.strerror}"
    return found


class _TooLong(Exception):
    pass


def _digest(path: str, deadline: float) -> str:
    hasher = Hasher()
    with open_regular(path, 0) as file:
        while True:
            if time.monotonic() >= deadline:
                raise _TooLong
            data = file.read(CHUNK)
            if not data:
                return hasher.tagged()
            hasher.update(data)


def _digest_folder(path: str, deadline: float) -> Optional[str]:
    """Return the digest of the names and contents in a folder; None if it has too many."""
    files = inside(path)
    if len(files) > MOST_FILES:
        return None
    hasher = Hasher()
    for each in files:
        hasher.update(f"{os.path.relpath(each, path)}\0{_digest(each, deadline)}\n".encode("utf-8", "surrogateescape"))
    return hasher.tagged()


def artifact(path: Any, name: Optional[str] = None) -> Any:
    """Record a file that this cell wrote (or read, if it is older than the cell), and return its path."""
    return current.current_files().declare(path, name)
