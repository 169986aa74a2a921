"""Where the pieces that come from a pod go in the run directory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ....rundir.leftovers import temporary
from ....rundir.run import Run, read_json, write_json
from ....worker import container
from ....worker.events import EVENTS, LOG

ATTEMPTS = "attempts.json"
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC


class LocalFiles:
    """Events, log and the rest of a run, which grow; each piece has its place.

    A second pod's files begin where the first's ended; ``attempts.json`` says where, for every process alike.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._bases: dict[str, int] = {}

    def adopt(self, uid: str) -> None:
        """From here on the pieces are of this pod."""
        path = self._run.path / ATTEMPTS
        attempts: dict[str, dict[str, int]] = read_json(path) or {}
        if uid not in attempts:
            bases = {name: self.size(name) for name in (EVENTS, LOG, "scheduler.log")} if attempts else {}
            if bases:
                line = b'{"e": "attempt", "base": %d}\n' % bases[LOG]
                if bases[EVENTS] and not self._ends_line(EVENTS):
                    line = b"\n" + line
                self._write(EVENTS, bases[EVENTS], line)
                bases[EVENTS] += len(line)
                for old in ("end.json", "time-limit"):
                    (self._run.path / old).unlink(missing_ok=True)
            attempts[uid] = bases
            write_json(path, attempts)
        self._bases = attempts[uid]

    def has_heard(self, uid: str) -> bool:
        """Whether anything has come from a pod, to any process."""
        base = (read_json(self._run.path / ATTEMPTS) or {}).get(uid)
        return base is not None and self.size(EVENTS) > int(base.get(EVENTS, 0))

    def size(self, name: str) -> int:
        try:
            return (self._run.path / name).stat().st_size
        except FileNotFoundError:
            return 0

    def _ends_line(self, name: str) -> bool:
        with open(self._run.path / name, "rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def offsets(self) -> dict[str, int]:
        """Return how much of this pod's files is here."""
        return {n: max(0, self.size(n) - self._bases.get(n, 0)) for n in (EVENTS, LOG, "scheduler.log")}

    def holds(self, wanted: Mapping[str, int]) -> bool:
        have = self.offsets()
        return all(have.get(name, 0) >= size for name, size in wanted.items())

    def place(self, name: str, offset: int, data: bytes) -> bool:
        """Write a piece; False if something before it is missing."""
        if name not in (EVENTS, LOG, "scheduler.log"):
            return True
        at = offset + self._bases.get(name, 0)
        size = self.size(name)
        if at > size:
            return False
        if at + len(data) > size:
            self._write(name, at, data)
        return True

    def mark_lost(self, name: str, size: int) -> None:
        """Fill what can't be had any more, so that the rest keeps its place; in the log, say so."""
        missing = size - self.offsets().get(name, 0)
        if missing <= 0:
            return
        words = f"\n[{missing} bytes of the log are lost: the node has rotated them away]\n".encode()
        fill = words if name == LOG and len(words) <= missing else b""
        self._write(name, self.size(name), fill + b"\n" * (missing - len(fill)))

    def append_text(self, text: str) -> None:
        self._write("scheduler.log", self.size("scheduler.log"), text.encode())

    def _write(self, name: str, at: int, data: bytes) -> None:
        _write(self._run.path / name, at, data)

    def beat(self) -> None:
        """The worker's heartbeat is the time stamp of its events."""
        try:
            os.utime(self._run.path / EVENTS)
        except FileNotFoundError:  # it has not started
            pass

    def touch(self, name: str) -> None:
        self._write(name, 0, b"")

    def write_json(self, name: str, record: Any) -> None:
        write_json(self._run.path / name, record)


class ResultFiles:
    """The result, in a folder of this process until it is whole and verified."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._folder = temporary(run.result)

    def path(self, name: str) -> Path:
        """Return where a file of the result goes; a pod is not to be trusted with paths."""
        parts = Path(name).parts
        if parts[:1] != ("result",) or ".." in parts or len(parts) not in (2, 3):
            raise ValueError(f"{name!r} is not a file of a result")
        return self._folder.joinpath(*parts[1:])

    def offsets(self) -> dict[str, int]:
        """Return how much of each file is here."""
        found = (path for path in self._folder.rglob("*") if path.is_file())
        return {f"result/{path.relative_to(self._folder)}": path.stat().st_size for path in found}

    def place(self, name: str, offset: int, data: bytes) -> None:
        path = self.path(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if offset <= (path.stat().st_size if path.exists() else 0):
            _write(path, offset, data)

    def is_whole(self, expected: Mapping[str, int]) -> bool:
        have = self.offsets()
        return all(have.get(name, -1) == size for name, size in expected.items())

    def commit(self, expected: Mapping[str, int]) -> bool:
        """Verify the result and put it in its place; False if it isn't whole."""
        for name in (name for name, size in expected.items() if size == 0):  # of an empty file no piece comes
            self.place(name, 0, b"")
        if not self.is_whole(expected):
            return False
        if expected:
            try:
                container.verify(str(self._folder), container.read_manifest(str(self._folder)))
            except (container.ContainerError, OSError, KeyError):
                self.discard()
                return False
            try:
                os.rename(self._folder, self._run.result)
            except OSError:
                if not self._run.result.exists():
                    raise
                self.discard()  # another process was first
        return True

    def discard(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _write(path: Path, at: int, data: bytes) -> None:
    """Write all of it at a place of a private file, which is made if it isn't there."""
    descriptor = os.open(path, _FLAGS, 0o600)
    try:
        view = memoryview(data)
        while view:
            written = os.pwrite(descriptor, view, at)
            view, at = view[written:], at + written
    finally:
        os.close(descriptor)
