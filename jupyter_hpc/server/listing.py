"""The list of all jobs, as the sidebar shows it: cached, filtered, paged.

Every run's record is read once, and again only when it changed; a run that has ended isn't even looked at again.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..follow.following import follow, followed
from ..follow.glance import refresh
from ..model.printable import printable
from ..model.spec import first_line
from ..model.states import JobState, Status
from ..rundir.parts import indices_of
from ..rundir.run import Run
from ..rundir.store import ID_PATTERN, Store
from .foreign_jobs import ForeignJobs

MOST = 500
GROUPED_BY = ("target", "state", "notebook")
GROUPS = {
    "waiting": {JobState.SUBMITTING, JobState.PENDING},
    "running": {JobState.RUNNING},
    "ended": {state for state in JobState if state.is_final},
}
_GROUP_OF = {state.value: group for group, states in GROUPS.items() for state in states}
STANDS = 4.0  # times what it took to find out how all jobs stand: so long that stands, for whoever asks
SETTLED_NS = 2_000_000_000  # a folder that changed since may change again within one tick of its time stamp
Summary = dict[str, Any]
Stamp = tuple[int, int, int]  # of a record: time, inode and size, as two writes may fall into one tick of the time


@dataclass(frozen=True)
class Query:
    """Which jobs, and which part of them."""

    group: str = ""
    state: str = ""
    target: str = ""
    notebook: str = ""
    text: str = ""
    by: str = ""
    offset: int = 0
    limit: int = 100


def summary(run: Run, record: Mapping[str, Any], status: Status | None = None) -> Summary:
    """Return what a row shows of a run."""
    resources = record["spec"].get("resources") or {}
    state = status.state.value if status else str(record.get("state"))
    row: Summary = {
        "id": run.id,
        "name": record.get("name") or first_line(str(record["code"].get("text") or ""))[:120],
        "target": record["target"]["name"],
        "backend": record["target"].get("backend", ""),
        "native_id": str(record.get("native_id") or ""),
        "state": state,
        "reason": (status.reason if status else record.get("reason")) or "",
        "error": (record.get("verdict") or {}).get("error") or "",
        "node": (status.node if status else record.get("node")) or "",
        "created": record.get("created"),
        "started_at": status.started_at if status else record.get("started_at"),
        "ended_at": status.ended_at if status else record.get("ended_at"),
        "time_limit_s": resources.get("time"),
        "gpus": resources.get("gpus") or 0,
        "gpu_type": resources.get("gpu_type") or "",
        "notebook": (record.get("notebook") or {}).get("path") or "",
        "tasks": len(indices_of(record)),
        "foreign": False,
    }
    return _printable(row)


def _printable(row: Summary) -> Summary:
    return {key: printable(value) if isinstance(value, str) else value for key, value in row.items()}


def damaged(run: Run) -> Summary:
    """Return what a row shows of a run whose record can't be read."""
    created = datetime.strptime(run.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=timezone.utc).timestamp()
    nothing = {"id": run.id, "target": {"name": "?"}, "spec": {}, "code": {}, "state": JobState.LOST.value}
    row = summary(run, {**nothing, "created": created, "reason": "its record.json is damaged"})
    return {**row, "name": run.id}


class Listing:
    """All runs of a store, newest first. Any thread may ask.

    Parameters
    ----------
    store : Store
        Where the runs are.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.foreign = ForeignJobs()
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Stamp, Summary]] = {}
        self._live: list[str] = []  # those of `_known` that haven't ended
        self._unread: list[str] = []  # folders that have no record, or not yet
        self._listed = 0  # when the folder that `_known` is of last changed
        self._taking = threading.Lock()
        self._taken: list[Summary] = []  # how all jobs stood
        self._stands_until = 0.0

    def _scan(self) -> dict[str, tuple[Stamp, Summary]]:
        """Read what is new or changed; ended runs are as they were, and a folder that is isn't listed again."""
        folder = self.store.runs_directory
        try:
            changed = folder.stat().st_mtime_ns
        except FileNotFoundError:
            changed = 0
        with self._lock:
            is_new = any((folder / name / "record.json").exists() for name in self._unread)
            if is_new or changed != self._listed or time.time_ns() - changed < SETTLED_NS:
                self._list(folder)
                self._listed = changed
            else:
                for name in self._live:
                    entry = self._read(self.store.run(name), self._known.get(name))
                    if entry is not None:
                        self._known[name] = entry
            self._live = [name for name in self._live if not is_final(self._known[name][1])]
            return dict(self._known)

    def _list(self, folder: Path) -> None:
        try:
            names = [name for name in os.listdir(folder) if ID_PATTERN.fullmatch(name)]
        except FileNotFoundError:
            names = []
        found: dict[str, tuple[Stamp, Summary]] = {}
        self._live, self._unread = [], []
        for name in sorted(names, reverse=True):
            entry = self._known.get(name)
            if entry is None or not is_final(entry[1]):
                entry = self._read(self.store.run(name), entry)
                if entry is None:
                    self._unread.append(name)
                    continue
                self._live.append(name)
            found[name] = entry
        self._known = found

    def _read(self, run: Run, old: tuple[Stamp, Summary] | None) -> tuple[Stamp, Summary] | None:
        try:
            found = (run.path / "record.json").stat()
        except OSError:  # in mid-submission, or removed meanwhile
            return None
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if old is not None and old[0] == stamp and not run.has_kept:
            return old
        record = run.record_or_none()
        return (stamp, summary(run, record)) if record else None

    def _damaged(self) -> list[Summary]:
        """Return a row for each run whose record can't be read; it may be whole again, so nothing is kept."""
        names = [name for name in self._unread if os.path.lexists(self.store.run(name).path / "record.json")]
        return [damaged(self.store.run(name)) for name in names]

    def recorded(self) -> list[Summary]:
        """Return every run's row as its record has it; nobody is asked."""
        return [row for _, row in self._scan().values()]

    def summaries(self) -> list[Summary]:
        """Return every job's row, the live ones as they stand now, with those that we did not submit.

        With thousands of jobs that is work. Many clients share it, and it never takes more than a fifth of the time.
        """
        with self._taking:
            began = time.monotonic()
            if began >= self._stands_until:
                self._taken = self._summaries()
                now = time.monotonic()
                self._stands_until = now + STANDS * (now - began)
            return list(self._taken)

    def _summaries(self) -> list[Summary]:
        self.foreign.look()  # first: a run is there before its job is, so that no job of ours can seem to have none
        known = self._scan()
        own, foreign = self._own([row for _, row in known.values()]), self.foreign.rows(known)
        others = [*foreign, *self._damaged()]
        return sorted([*own, *others], key=_created, reverse=True) if others else own

    def _own(self, rows: list[Summary]) -> list[Summary]:
        live = [row for row in rows if not is_final(row)]
        statuses = self._statuses(live)
        if not statuses:
            return rows
        return [{**row, **_live_fields(statuses[row["id"]])} if row["id"] in statuses else row for row in rows]

    def _statuses(self, live: Iterable[Summary]) -> dict[str, Status]:
        runs = [self.store.run(row["id"]) for row in live]
        for run in runs:
            if followed(run) is None and run.record_or_none():
                follow(run)  # this server's one watcher a target keeps their records true
        return {run.id: status for run, status in zip(runs, refresh(runs))}

    def versions(self) -> dict[str, tuple[Any, ...]]:
        """Return what tells a change of each run."""
        fields = ("state", "reason", "node", "started_at", "ended_at")
        return {row["id"]: tuple(row[f] for f in fields) for row in self.summaries()}

    def page(self, query: Query) -> dict[str, Any]:
        """Return one page of the rows that a query means, with counts over all."""
        rows = self.summaries()
        counts = Counter(_GROUP_OF[row["state"]] for row in rows)
        is_all = not (query.group or query.state or query.target or query.notebook or query.text)
        found = rows if is_all else [row for row in rows if _matches(row, query)]
        if query.by:
            found = _grouped(found, query.by)
        return {
            "jobs": found[query.offset : query.offset + min(query.limit, MOST)],
            "total": len(found),
            "counts": {group: counts[group] for group in GROUPS},
            "targets": sorted({row["target"] for row in rows}),
            "notebooks": sorted({row["notebook"] for row in rows if row["notebook"]}),
        }

    def forget(self, run_id: str) -> None:
        with self._lock:
            self._known.pop(run_id, None)
            self._listed = 0
        self.look_anew()

    def look_anew(self) -> None:
        """Something was done: whoever asks from now on sees what came of it."""
        self._stands_until = 0.0


def _created(row: Summary) -> float:
    return row["created"] or 0.0


def is_final(row: Summary) -> bool:
    return in_group(row, "ended")


def in_group(row: Summary, group: str) -> bool:
    return _GROUP_OF.get(row["state"]) == group


def _grouped(rows: list[Summary], by: str) -> list[Summary]:
    """Return the rows by target, state or notebook, each group under a heading of its own."""
    groups: dict[str, list[Summary]] = {}
    for row in rows:
        groups.setdefault(str(row[by]), []).append(row)
    return [
        each
        for name, members in sorted(groups.items())
        for each in ({"heading": name, "count": len(members)}, *members)
    ]


def _live_fields(status: Status) -> Summary:
    return _printable(
        {
            "state": status.state.value,
            "reason": status.reason,
            "node": status.node,
            "native_id": status.native_id,
            "started_at": status.started_at,
            "ended_at": status.ended_at,
        }
    )


def _matches(row: Summary, query: Query) -> bool:
    """Return whether a row is meant; the cheapest questions first."""
    if query.group and not in_group(row, query.group):
        return False
    for key in ("state", "target", "notebook"):
        wanted = getattr(query, key)
        if wanted and row[key] != wanted:
            return False
    text = query.text.lower()
    places = ("id", "name", "native_id", "node", "reason", "error", "notebook")
    return not text or any(text in str(row[key]).lower() for key in places)
