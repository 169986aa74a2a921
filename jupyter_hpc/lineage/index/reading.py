"""What changed in the store since the index last looked, found with as few questions to the file system as possible.

Run ids sort by time, so new runs are those above the newest known one. A run that ended more than a minute ago is
sealed: it isn't looked at again.
"""

from __future__ import annotations

import heapq
import os
import sqlite3
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...model.states import JobState
from ...rundir.parts import parts_of
from ...rundir.run import Run, read_record
from ...rundir.shapes import LOCAL_CELL, lines
from ...rundir.store import ID_PATTERN, Store
from ...worker.container import MANIFEST
from ...worker.regular import open_regular
from .activity import Facts, of_cell, of_run
from .tags import FILE as TAGS
from .tags import rows as tag_rows

SETTLED_S = 60.0  # git's state and the worker's environment may be written a little after the verdict
RACY_S = 2.0  # a folder's time stamp may not show a second change within its resolution
FOLDER = "runs/"
_FINAL = {state.value for state in JobState if state.is_final}


@dataclass
class Changes:
    """What has to be read again."""

    store: Store
    runs: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    sessions: list[tuple[str, int]] = field(default_factory=list)  # file, and from which byte on
    tags: bool = False
    folder: str | None = None

    def __bool__(self) -> bool:
        return bool(self.runs or self.removed or self.sessions or self.tags)


@dataclass
class Entry:
    """One thing that was read: its rows, and what tells whether it must be read again."""

    path: str
    stamp: str | None
    is_sealed: bool = False
    problem: str | None = None
    facts: tuple[Facts, ...] = ()
    tags: list[tuple[Any, ...]] | None = None


def changes(store: Store, database: sqlite3.Connection) -> Changes:
    """Compare the store with what the index has seen."""
    found = Changes(store)
    seen = "SELECT path, stamp, problem, state FROM seen LEFT JOIN run ON run_id = path WHERE sealed = 0"
    for path, stamp, problem, state in database.execute(seen).fetchall():
        if not ID_PATTERN.fullmatch(path):
            continue
        now = _stamp(store, path)
        is_incomplete = state is None and problem is None  # it had no record.json yet
        if now is None:
            found.removed.append(path)
        elif now != stamp or is_incomplete or (state in _FINAL and _is_old(now)):
            found.runs.append(path)
    _folder(store, database, found)
    _sessions(store, database, found)
    stamp = _file_stamp(store.root / TAGS)
    known = database.execute("SELECT stamp FROM seen WHERE path = ?", (TAGS,)).fetchone()
    found.tags = stamp != (known[0] if known else None) and not (known is None and stamp is None)
    return found


def merged(found: Changes) -> Iterator[Entry]:
    """Yield all that changed in the order of time."""
    cells = [entry for name, offset in found.sessions for entry in _session(found.store, name, offset)]
    runs = (_run(found.store, run_id) for run_id in sorted(found.runs))
    yield from heapq.merge(sorted(cells, key=_time), runs, key=_time)
    if found.tags:
        path = found.store.root / TAGS
        yield Entry(TAGS, _file_stamp(path), tags=tag_rows(path))
    if found.folder is not None:
        yield Entry(FOLDER, found.folder, is_sealed=True)


def _time(entry: Entry) -> float:
    return float(entry.facts[0].run["created"] or 0) if entry.facts else 0.0


# -- runs ------------------------------------------------------------------------------------------


def _folder(store: Store, database: sqlite3.Connection, found: Changes) -> None:
    try:
        stamp = str(os.stat(store.runs_directory).st_mtime_ns)
    except FileNotFoundError:
        return
    known = database.execute("SELECT stamp FROM seen WHERE path = ?", (FOLDER,)).fetchone()
    if known and known[0] == stamp:
        return
    names = sorted(name for name in os.listdir(store.runs_directory) if ID_PATTERN.fullmatch(name))
    newest, count = database.execute(
        "SELECT max(path), count(*) FROM seen WHERE path GLOB '[0-9]*-[0-9]*-*'"
    ).fetchone()
    first = bisect_right(names, newest or "")
    new = names[first:]
    if count != first:  # some were removed, or came from elsewhere
        there = {r[0] for r in database.execute("SELECT path FROM seen WHERE path GLOB '[0-9]*-[0-9]*-*'")}
        new = [name for name in names if name not in there]
        found.removed = sorted(there.difference(names) | set(found.removed))
    found.runs = [r for r in found.runs if r not in found.removed] + [n for n in new if n not in found.runs]
    if time.time() - int(stamp) / 1e9 > RACY_S:
        found.folder = stamp


def _stamp(store: Store, run_id: str) -> str | None:
    path = f"{store.root}/runs/{run_id}"  # no Path: a hundred thousand of them take seconds
    record = _file_stamp(f"{path}/record.json")
    if record is None and not os.path.isdir(path):
        return None
    return f"{record}/{_file_stamp(f'{path}/result/{MANIFEST}')}"


def _file_stamp(path: str | Path) -> str | None:
    try:
        info = os.stat(path)
    except OSError:
        return None
    return f"{info.st_mtime_ns}.{info.st_size}.{info.st_ino}"


def _run(store: Store, run_id: str) -> Entry:
    stamp = _stamp(store, run_id)
    record = _record(f"{store.root}/runs/{run_id}/record.json")
    if record is None:
        return _unreadable(store.run(run_id), stamp)
    run = store.run(run_id)
    try:
        facts = (of_run(run, record), *_tasks(run, record))
    except Exception as error:  # a field may be of any shape: one record must not keep the others from being found
        why = f"its record.json can't be understood ({error!r:.100})"
        return Entry(run_id, stamp, is_sealed=True, problem=why)
    final = record.get("state") in _FINAL
    return Entry(run_id, stamp, is_sealed=final and _is_old(stamp), facts=facts)


def _record(path: str) -> dict[str, Any] | None:
    record = read_record(path)
    return None if record is None or "created" not in record else record


def _unreadable(run: Run, stamp: str | None) -> Entry:
    if os.path.lexists(run.path / "record.json"):
        return Entry(run.id, stamp, problem="its record.json is damaged")
    try:
        is_young = time.time() - run.path.stat().st_mtime < SETTLED_S
    except OSError:  # removed meanwhile
        return Entry(run.id, None)
    return Entry(run.id, stamp, problem=None if is_young else "it has no record.json: its submission was cut off")


def _tasks(run: Run, record: dict[str, Any]) -> list[Facts]:
    if record.get("state") not in _FINAL:
        return []
    return [of_run(part, known) for part in parts_of(run, record) if (known := part.record_or_none())]


def _is_old(stamp: str | None) -> bool:
    """Whether what a stamp is of was written so long ago that nothing more comes."""
    times = [float(part.partition(".")[0]) / 1e9 for part in (stamp or "").split("/") if part[:1].isdigit()]
    return bool(times) and time.time() - max(times) > SETTLED_S


# -- cells of kernels ------------------------------------------------------------------------------


def _sessions(store: Store, database: sqlite3.Connection, found: Changes) -> None:
    folder = store.root / "cells"
    if not folder.is_dir():
        return
    known = dict(database.execute("SELECT path, stamp FROM seen WHERE path GLOB 'cells/*'").fetchall())
    for entry in os.scandir(folder):
        if entry.name.endswith(".jsonl"):
            offset = int(known.get(f"cells/{entry.name}", "0"))
            try:
                size = entry.stat().st_size
            except OSError:  # removed meanwhile, or a link to nowhere
                continue
            if size != offset and not (size > offset and not _has_line(Path(entry.path), offset)):
                found.sessions.append((entry.name, offset if size > offset else 0))


def _has_line(path: Path, offset: int) -> bool:
    """Whether more than the beginning of a line was added."""
    return b"\n" in _from(path, offset)


def _from(path: Path, offset: int) -> bytes:
    """Return what a file has from a place on; nothing if it is gone, or no file that could be read."""
    try:
        with open_regular(path) as file:
            file.seek(offset)
            return file.read()
    except OSError:
        return b""


def _session(store: Store, name: str, offset: int) -> Iterator[Entry]:
    data = _from(store.root / "cells" / name, offset)
    whole = data[: data.rfind(b"\n") + 1]
    bad = 0
    for cell in lines(whole, LOCAL_CELL):
        if cell is None:
            bad += 1
            continue
        facts = of_cell(cell, name.removesuffix(".jsonl"))
        yield Entry(cell["id"], None, facts=(facts,))
    problem = f"{bad} of its lines can't be read" if bad else None
    yield Entry(f"cells/{name}", str(offset + len(whole)), is_sealed=True, problem=problem)
