"""One run directory: its record, read whole and updated under a lock; its tasks, if it is an array.

What it holds is described in :mod:`jupyter_hpc.rundir.store`, which has all of them.
"""

from __future__ import annotations

import errno
import fcntl
import getpass
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..model.exceptions import JobNotFound
from ..worker.container import MANIFEST
from ..worker.regular import open_regular
from . import shapes, unwritten
from .fitting import Missing, fitted, parsed
from .leftovers import temporary

RECORD_FORMAT = 1
WAITS = "waits."  # with a process's identity: a cell of it waits for the job, until somebody removes the file
CANCELLED = "cancelled"  # made where the record had no room for that
PARTS = "tasks"  # the folder of a run's parts, by the name of the first kind that there was
_OWN_FIELDS = {  # what a part doesn't share with the whole
    *("array", "state", "reason", "node", "native_id", "native_uid", "started_at", "ended_at", "verdict"),
    *("attempts", "incidents", "submitted_at", "command", "notes", "waiting", "image"),
    *("cancel_asked_at", "cancel_asked_by"),
    *("outputs", "files", "metrics", "task_metrics", "execution", "determinism", "exception", "unloaded", "changes"),
    *("replaces", "replaced_by", "changed_options"),
}
LOCK_S = 2.0  # an update takes about a millisecond


def write_json(path: Path, record: Any) -> None:
    """Write JSON to a private file, atomically.

    It is ASCII: any text from outside can be in it, also what is no Unicode (``data-\\udcff.csv``, a file name that
    isn't UTF-8), and is read again as it was. Who shows it makes it harmless.
    """
    draft = temporary(path)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(json.dumps(record))
        os.replace(draft, path)
    except BaseException:  # a full disk, most often
        draft.unlink(missing_ok=True)
        raise


def read_json(path: str | Path, shape: Any = None) -> Any:
    """Read JSON; None if the file can't be read, is cut off, or is of another shape.

    Parameters
    ----------
    shape : optional
        As in `fitting`: what doesn't fit is left out.
    """
    try:
        with open_regular(path) as file:
            found = parsed(file.read())
    except (OSError, ValueError):
        return None
    if shape is None:
        return found
    fit = fitted(found, shape)
    return None if fit is Missing else fit


def read_record(path: str | Path, shape: Any = shapes.RECORD) -> dict[str, Any] | None:
    """Return a run's record; None if it isn't there, is damaged, or lacks what every view needs."""
    found: dict[str, Any] | None = read_json(path, shape)
    return found


@dataclass(frozen=True)
class Run:
    """One run directory."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def payload(self) -> Path:
        return (self.whole or self).path / "payload"

    @property
    def whole(self) -> Run | None:
        """The run that this is a part of (the array of a task), or None."""
        return Run(self.path.parent.parent) if self.path.parent.name == PARTS else None

    @property
    def index(self) -> int | None:
        """Which part of the whole this is, or None."""
        return int(self.id.rpartition("_")[2]) if self.whole is not None else None

    def part(self, index: int) -> Run:
        """Return the run of one part of this."""
        return Run(self.path / PARTS / f"{self.id}_{index}")

    @property
    def result(self) -> Path:
        return self.path / "result"

    @property
    def log(self) -> Path:
        return self.path / "log"

    def waits(self) -> list[Path]:
        """Return the marks of the cells that wait for the job; a kernel that was killed leaves its own behind."""
        return list(self.path.glob(f"{WAITS}*"))

    @property
    def scheduler_log(self) -> Path:
        return self.path / "scheduler.log"

    def record(self) -> dict[str, Any]:
        """Return the record.

        Raises
        ------
        JobNotFound
            If there is none, or it can't be read.
        """
        record = self.record_or_none()
        if record is None:
            raise JobNotFound(f"{self.path} holds no readable record.", hint="`%hpc jobs` lists what there is.")
        return record

    def record_or_none(self) -> dict[str, Any] | None:
        """Return the record, or None if it isn't there yet or is damaged."""
        if self.whole is not None:
            return self.record_within(self.whole.record_or_none())
        record = read_record(self.path / "record.json")
        return None if record is None else unwritten.with_waiting(self.path, record)

    def in_brief(self) -> dict[str, Any] | None:
        """Return of the record what a row of a list shows, in a part of the time; None as `record_or_none`."""
        if self.whole is not None or self.has_kept:  # what waits is compared with the whole
            return self.record_or_none()
        return read_record(self.path / "record.json", shapes.IN_BRIEF)

    def record_within(self, whole: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return the record of this part of a run whose record was read already."""
        return _part_record(self, whole, unwritten.with_waiting(self.path, self._own_fields()))

    def _own_fields(self) -> dict[str, Any]:
        """Return what a part's record has of its own."""
        return read_json(self.path / "record.json", shapes.PART) or {}

    def manifest(self) -> dict[str, Any] | None:
        """Return what the result says of itself; None if there is none, or it can't be read."""
        found: dict[str, Any] | None = read_json(self.result / MANIFEST, shapes.MANIFEST)
        return found

    def sent(self) -> dict[str, Any]:
        """Return what the payload says of itself; empty if it can't be read."""
        return read_json(self.payload / MANIFEST, shapes.MANIFEST) or {}

    @property
    def was_cancelled(self) -> bool:
        """We asked the scheduler to end it, or the array that it is a task of."""
        runs = [run for run in (self, self.whole) if run is not None]
        asked = any((run.record_or_none() or {}).get("cancel_asked_at") for run in runs)
        return asked or any((run.path / CANCELLED).exists() for run in runs)

    def note_cancel(self) -> None:
        """Remember that we asked the scheduler to end it; on a full disk an empty file tells other processes."""
        who = f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}"
        self.update(cancel_asked_at=time.time(), cancel_asked_by=who)
        if self.has_kept:
            with suppress(OSError):
                (self.path / CANCELLED).touch(0o600)

    def forget_cancel(self, before: float | None) -> None:
        """The scheduler refused: it is as it was before we asked."""
        self.update(cancel_asked_at=before)
        unwritten.remove(self.path / CANCELLED)

    def write(self, **fields: Any) -> dict[str, Any]:
        """Merge fields into the record, atomically, and return it; no other process's fields are lost.

        Raises
        ------
        OSError
            If the disk doesn't take them.
        """
        with _locked(self.path / "record.lock"):
            new = {**unwritten.with_waiting(self.path, self._written()), **fields}
            write_json(self.path / "record.json", new)
            unwritten.forget(self.path)
        return self.record() if self.whole else new

    def update(self, **fields: Any) -> dict[str, Any]:
        """As `write`; what the disk doesn't take waits (`has_kept`): this process sees it, and tries again."""
        try:
            return self.write(**fields)
        except OSError as error:
            if not unwritten.may_pass(error):
                raise
        with _locked(self.path / "record.lock"):
            unwritten.keep(self.path, fields, self._written())
        unwritten.later(self.path, self._write_kept)
        return self.record()

    def _written(self) -> dict[str, Any]:
        """Return what this run's own file has: of a part, its own fields."""
        if self.whole is not None:
            return self._own_fields()
        return read_record(self.path / "record.json") or self.record()  # which says what is wrong

    def conclude(self, **fields: Any) -> None:
        """Merge the fields of its end into the record; this process has them, also where they can't be written."""
        try:
            self.update(**fields)
        except (OSError, JobNotFound):  # a folder in its place; the run was removed
            unwritten.keep(self.path, fields, {})

    @property
    def has_kept(self) -> bool:
        """Fields of the record wait for room on the disk."""
        return unwritten.waits(self.path)

    def catch_up(self) -> None:
        """Try again to write what waits for room on the disk."""
        if self.has_kept:
            unwritten.try_now(self.path)

    def _write_kept(self) -> None:
        try:
            self.write()
        except (JobNotFound, FileNotFoundError) as error:
            if not (self.whole or self).path.parent.exists():  # a disk that is out of reach may come back
                raise OSError(errno.ESTALE, str(error)) from None
            unwritten.forget(self.path)  # it was removed


def own_fields_removed(record: dict[str, Any]) -> dict[str, Any]:
    """Return what of a record is code, inputs and wishes, without what came of them."""
    return {k: v for k, v in record.items() if k not in _OWN_FIELDS}


def _part_record(run: Run, whole: dict[str, Any] | None, own: dict[str, Any]) -> dict[str, Any] | None:
    """Return a part's record: the whole's, and what is the part's own."""
    if whole is None:
        return None
    shared = own_fields_removed(whole)
    native = {"native_id": f"{whole['native_id']}_{run.index}"} if whole.get("native_id") else {}
    return {**shared, "array_id": whole["id"], "task": run.index, **native, **own, "id": run.id}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock on a file, so that two processes don't write over each other's fields.

    Linux hands flock() on NFS to the server, so this holds between hosts too where the server has locks. Where it
    has none (``nolock``, Lustre without ``flock``), or somebody holds the lock for long, we go on without: the
    record is still replaced as a whole.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        flock(descriptor, LOCK_S)
        yield
    finally:
        os.close(descriptor)  # releases it


def flock(descriptor: int, seconds: float) -> bool:
    """Lock a file; says whether it was to be had in time. Where there are no locks it was: nobody can hold one."""
    deadline, pause = time.monotonic() + seconds, min(0.05, seconds / 1000)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(pause)
        except OSError:  # no locks on this file system
            return True
