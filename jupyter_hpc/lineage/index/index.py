"""The index of all runs: a SQLite file, brought up to date from the run directories, which can always be made anew.

Several kernels, shells and servers use one file: whoever asks brings it up to date first, one at a time; a file that
is missing, damaged or of another version is built beside the old one and renamed into its place. While a full or
read-only disk doesn't take it, whoever asks has it in memory.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ...model.exceptions import HPCError
from ...rundir.run import flock
from ...rundir.store import ID_PATTERN, Store
from . import reading
from .activity import Facts
from .rows import connect_earlier, plain, put, put_environment, remove
from .schema import connect, create, is_current

Found = TypeVar("Found")
FILE = "lineage.sqlite"
LOCK_S = 5.0  # what brings up to date is short; a rebuild by somebody else is not waited for
REBUILD_S = 600.0
_NO_PLACE = ("full", "readonly")
_DAMAGE = ("no such table", "disk I/O error", "unable to open", "malformed")


@dataclass
class Report:
    """What bringing the index up to date did."""

    path: Path | None = None
    read: int = 0
    removed: int = 0
    seconds: float = 0.0
    damaged: list[tuple[str, str]] = field(default_factory=list)  # what was skipped, and why


class _NoPlace(Exception):
    """The disk doesn't take the file."""


class Index:
    """The index of a store.

    Parameters
    ----------
    store : Store
        Whose runs; the file lies in its root.

    Examples
    --------
    >>> Index(store).query("SELECT run_id FROM run WHERE state = ?", ("FAILED",))   # doctest: +SKIP
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.path = store.root / FILE
        self._memory: sqlite3.Connection | None = None  # while there is no place for the file

    def query(self, sql: str, values: Sequence[Any] = (), *, fresh: bool = True) -> list[tuple[Any, ...]]:
        """Return all rows; the index is brought up to date before, unless ``fresh`` is False."""
        if fresh:
            self.refresh()

        def rows(database: sqlite3.Connection) -> list[tuple[Any, ...]]:
            return database.execute(sql, plain(values)).fetchall()

        try:
            return rows(self._memory) if self._memory is not None else self._whole(rows)
        except _NoPlace:
            self._refresh_memory()
            return self.query(sql, values, fresh=False)

    def refresh(self) -> Report:
        """Read what is new or changed in the store."""
        try:
            report = self._whole(self._refresh)
            self._memory = None
        except _NoPlace:
            report = self._refresh_memory()
        return report

    def rebuild(self) -> Report:
        """Read everything again into a new file.

        Raises
        ------
        HPCError
            If another process is at it for long, or there is no place for the file.
        """
        try:
            return self._rebuild(None)
        except _NoPlace as error:
            raise HPCError(
                f"The lineage index {self.path} can't be written: {error}.",
                hint="It needs about 2 KB for each run, and nothing else in its place; the runs are not harmed.",
            ) from None

    def _rebuild(self, instead_of: int | None) -> Report:
        """Build a new file; none if another process has put one in the place of this inode meanwhile."""
        started = time.monotonic()
        with self._lock(REBUILD_S) as held:
            if not held:
                raise HPCError(f"{self.path} is being built by another process.", hint="Ask again in a minute.")
            if instead_of is not None and _inode(self.path) not in (instead_of, 0):
                return Report(self.path)
            try:
                report = self._build()
            except (OSError, sqlite3.OperationalError) as error:
                raise _NoPlace(str(error)) from None
        report.path, report.seconds = self.path, time.monotonic() - started
        return report

    def problems(self) -> list[tuple[str, str]]:
        """Return what can't be read, and why."""
        sql = "SELECT path, problem FROM seen WHERE problem IS NOT NULL"
        return [(path, problem) for path, problem in self.query(sql)]

    # -- how ---------------------------------------------------------------------------------------

    def _whole(self, work: Callable[[sqlite3.Connection], Found]) -> Found:
        """Do something with the file; when it is missing, damaged or another version's, build it and try once more."""
        inode = _inode(self.path)
        try:
            if inode:
                with closing(connect(self.path)) as database:
                    if is_current(database):
                        return work(database)
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise HPCError(f"{self.path} is locked by another process.", hint="Ask again in a moment.") from None
            if any(words in str(error) for words in _NO_PLACE):
                raise _NoPlace(str(error)) from None
            if not any(words in str(error) for words in _DAMAGE):
                raise
        except sqlite3.DatabaseError as error:
            if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
                raise
        self._rebuild(inode)
        with closing(connect(self.path)) as database:
            return work(database)

    def _build(self) -> Report:
        self.store.prepare()
        for left in self.store.root.glob(f".{FILE}.*"):  # by a process that died: we have the lock
            left.unlink(missing_ok=True)
        temporary = self.path.with_name(f".{FILE}.{os.getpid()}.{time.monotonic_ns()}")
        try:
            descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL, 0o600)
            os.close(descriptor)
            with closing(connect(temporary, bulk=True)) as database:
                create(database)
                database.execute("BEGIN")
                report = self._read_all(database)
                database.execute("COMMIT")
            # a journal of a process that died belongs to the old file: SQLite must not play it back into this one
            self.path.with_name(f"{FILE}-journal").unlink(missing_ok=True)
            os.replace(temporary, self.path)
        finally:
            temporary.unlink(missing_ok=True)
        return report

    def _refresh(self, reader: sqlite3.Connection) -> Report:
        started = time.monotonic()
        if not reading.changes(self.store, reader):
            return Report()
        with self._lock(LOCK_S) as held:
            if not held:  # another process does it; what it has so far is as good as a moment ago
                return Report()
            # opened under the lock: before, another process may have renamed a new file into its place
            with closing(connect(self.path)) as database:
                report = self._apply_whole(database)
        report.seconds = time.monotonic() - started
        return report

    def _refresh_memory(self) -> Report:
        """Bring the index in memory up to date, which begins with what the file has."""
        if self._memory is not None:
            return self._apply_whole(self._memory)
        self._memory = connect(":memory:")
        try:
            with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)) as file:
                file.backup(self._memory)
            if is_current(self._memory):
                return self._apply_whole(self._memory)
        except sqlite3.DatabaseError:  # missing, damaged, or with a journal that would have to be played back
            pass
        self._memory = connect(":memory:", bulk=True)
        create(self._memory)
        return self._read_all(self._memory)

    def _apply_whole(self, database: sqlite3.Connection) -> Report:
        with database:  # commits, or takes all of it back: the one in memory goes on
            database.execute("BEGIN IMMEDIATE")
            return self._apply(database, reading.changes(self.store, database))

    def _read_all(self, database: sqlite3.Connection) -> Report:
        """Read everything, in the order of time: who made an input is then there before who used it."""
        report = Report()
        for entry in reading.merged(reading.changes(self.store, database)):
            self._put(database, entry, report, is_new=True)
        return report

    def _apply(self, database: sqlite3.Connection, changes: reading.Changes) -> Report:
        report = Report()
        for run_id in changes.removed:
            children = remove(database, run_id)
            database.execute("DELETE FROM seen WHERE path = ?", (run_id,))
            known = {*changes.runs, *changes.removed}
            changes.runs += [c for c in children if ID_PATTERN.fullmatch(c) and c not in known]
            report.removed += 1
        later: list[Facts] = []
        for entry in reading.merged(changes):
            later += self._put(database, entry, report, is_new=False)
        for facts in later:
            connect_earlier(database, facts)
        return report

    def _put(
        self, database: sqlite3.Connection, entry: reading.Entry, report: Report, *, is_new: bool
    ) -> Iterable[Facts]:
        if entry.problem:
            report.damaged.append((entry.path, entry.problem))
            if not is_new:
                remove(database, entry.path)
        for facts in entry.facts:
            put(database, facts, is_new=is_new)
            put_environment(database, self.store.root, facts.environment)
            report.read += 1
        if entry.tags is not None:
            database.execute("DELETE FROM tag")
            database.executemany("INSERT OR REPLACE INTO tag VALUES (?, ?, ?, ?, ?)", map(plain, entry.tags))
        if entry.stamp is not None:
            row = (entry.path, entry.stamp, int(entry.is_sealed), entry.problem)
            database.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)", row)
        return entry.facts

    @contextmanager
    def _lock(self, seconds: float) -> Iterator[bool]:
        """Hold the store's index lock; says whether it was to be had in time."""
        self.store.prepare()
        try:
            descriptor = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _NoPlace(str(error)) from None
        try:
            yield flock(descriptor, seconds)
        finally:
            os.close(descriptor)  # releases it


def _inode(path: Path) -> int:
    """Return what tells one file of this name from the next; 0 if there is none."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def index_of(root: Path | None = None) -> Index:
    """Return the index of the configured store, or of another root."""
    from ...rundir.store import store

    return Index(Store(root) if root else store())
