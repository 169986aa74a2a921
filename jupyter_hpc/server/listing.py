"""The list of all jobs, as the sidebar shows it: cached, filtered, paged.

Every run's record is read once, and again only when it changed; a run that has ended isn't even looked at again.
"""

from __future__ import annotations

import os
import threading
import time
from bisect import insort
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..follow.following import follow, followed
from ..follow.glance import refresh
from ..lineage.index import tags
from ..model.exceptions import HPCError
from ..model.states import Status
from ..rundir.run import Run
from ..rundir.store import ID_PATTERN, Store
from ..views.job_order import GROUP_OF, GROUPS, by_time, finder, grouped, in_group, is_final, ordered, searched
from ..views.job_row import Row, damaged_row, job_row, live_fields, metrics
from .foreign_jobs import ForeignJobs

MOST = 500
STANDS = 4.0  # times what it took to find out how all jobs stand: so long that stands, for whoever asks
SETTLED_NS = 2_000_000_000  # a folder that changed since may change again within one tick of its time stamp
Kind = tuple[str, bool, str, str]  # state, whether it is somebody's else, target, notebook: what a page counts
Stamp = tuple[int, int, int]  # of a file: time, inode and size, as two writes may fall into one tick of the time


@dataclass(frozen=True)
class Query:
    """Which jobs, in which order, and which part of them."""

    group: str = ""
    state: str = ""
    target: str = ""
    notebook: str = ""
    text: str = ""
    by: str = ""
    sort: str = ""
    unfolded: frozenset[str] = frozenset()  # ids of arrays that we did not submit: their tasks stand under them
    offset: int = 0
    limit: int = 100

    @property
    def means_all(self) -> bool:
        return not (self.group or self.state or self.target or self.notebook or self.text)


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


@dataclass(frozen=True)
class Jobs:
    """Rows in order, and what they have all together, which is told with each page."""

    rows: list[Row]
    kinds: Counter[Kind]
    metrics: frozenset[str]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Jobs:
        found = ordered(rows)
        kinds = ((row["state"], row["foreign"], row["target"], row["notebook"]) for row in found)
        return cls(found, Counter(kinds), frozenset(metric["name"] for row in found for metric in row["metrics"]))

    def counts(self, *, foreign: bool = True) -> Counter[str]:
        """Return how many wait, run and have ended."""
        found = Counter[str]()
        for (state, is_foreign, _, _), count in self.kinds.items():
            if foreign or not is_foreign:
                found[GROUP_OF[state]] += count
        return found


class Listing:
    """All runs of a store, what goes on first. Any thread may ask.

    Parameters
    ----------
    store : Store
        Where the runs are.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.foreign = ForeignJobs()
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Stamp, Row]] = {}
        self._live: list[str] = []  # those of `_known` that haven't ended
        self._ended = Jobs.of(())  # the others
        self._tags: dict[str, list[str]] = {}
        self._tagged: Stamp | None = None  # the file that they are of
        self._texts: dict[str, tuple[Row, str]] = {}  # what is searched, of rows as they are
        self._unread: list[str] = []  # folders that have no record, or not yet
        self._listed = 0  # when the folder that `_known` is of last changed
        self._taking = threading.Lock()
        self._taken = Jobs.of(())  # how all jobs stood
        self._stands_until = 0.0

    def _scan(self) -> tuple[list[Row], Jobs]:
        """Read what is new or changed; ended runs are as they were, and a folder that is isn't listed again.

        Returns
        -------
        tuple
            The rows of those that haven't ended by their records, and those that have.
        """
        folder = self.store.runs_directory
        try:
            changed = folder.stat().st_mtime_ns
        except FileNotFoundError:
            changed = 0
        with self._lock:
            retagged = self._read_tags()
            is_new = any((folder / name / "record.json").exists() for name in self._unread)
            relisted = is_new or changed != self._listed or time.time_ns() - changed < SETTLED_NS
            if relisted:
                relisted = self._list(folder)
                self._listed = changed
            else:
                for name in self._live:
                    entry = self._read(self.store.run(name), self._known.get(name))
                    if entry is not None:
                        self._known[name] = entry
            live = [name for name in self._live if not is_final(self._known[name][1])]
            if relisted or retagged or len(live) != len(self._live):
                self._ended = Jobs.of(row for _, row in self._known.values() if is_final(row))
            self._live = live
            return [self._known[name][1] for name in live], self._ended

    def _read_tags(self) -> bool:
        """Bring the tags that people gave up to date; return whether there are others."""
        path = self.store.root / tags.FILE
        stamp = _stamp(path)
        if stamp == self._tagged:
            return False
        before, self._tagged, self._tags = self._tags, stamp, tags.by_run(path)
        for name in {**before, **self._tags}:
            if name in self._known:
                stamp_of_record, row = self._known[name]
                self._known[name] = (stamp_of_record, {**row, "tags": self._tags.get(name, [])})
        return True

    def _list(self, folder: Path) -> bool:
        """List the folder; return whether other rows are there, or have ended."""
        try:
            names = [name for name in os.listdir(folder) if ID_PATTERN.fullmatch(name)]
        except FileNotFoundError:
            names = []
        found: dict[str, tuple[Stamp, Row]] = {}
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
        is_same = found.keys() == self._known.keys()
        self._known = found
        self._texts = {name: text for name, text in list(self._texts.items()) if name in found}
        return not is_same

    def _read(self, run: Run, old: tuple[Stamp, Row] | None) -> tuple[Stamp, Row] | None:
        stamp = _stamp(run.path / "record.json")
        if stamp is None:  # in mid-submission, or removed meanwhile
            return None
        if old is not None and old[0] == stamp and not run.has_kept:
            return old
        record = run.in_brief()
        return (stamp, {**job_row(run, record), "tags": self._tags.get(run.id, [])}) if record else None

    def _damaged(self) -> list[Row]:
        """Return a row for each run whose record can't be read; it may be whole again, so nothing is kept."""
        names = [name for name in self._unread if os.path.lexists(self.store.run(name).path / "record.json")]
        return [damaged_row(self.store.run(name)) for name in names]

    def recorded(self) -> list[Row]:
        """Return every run's row as its record has it; nobody is asked."""
        live, ended = self._scan()
        return [*live, *ended.rows]

    def summaries(self) -> list[Row]:
        """Return every job's row, the live ones as they stand now, with those that we did not submit."""
        return list(self._jobs().rows)

    def _jobs(self) -> Jobs:
        """Return all jobs as they stand.

        With thousands of jobs that is work. Many clients share it, and it never takes more than a fifth of the time.
        """
        with self._taking:
            began = time.monotonic()
            if began >= self._stands_until:
                self._taken = self._take()
                now = time.monotonic()
                self._stands_until = now + STANDS * (now - began)
            return self._taken

    def _take(self) -> Jobs:
        self.foreign.look()  # first: a run is there before its job is, so that no job of ours can seem to have none
        live, ended = self._scan()
        statuses = self._statuses(live)
        now = [
            {**row, **live_fields(statuses[row["id"]]), **self._told(row["id"])} if row["id"] in statuses else row
            for row in live
        ]
        others = Jobs.of([*now, *self.foreign.rows(self._known), *self._damaged()])
        # what has ended is in order and counted, and most of it was there before: only the others are put in
        rows = [*(row for row in others.rows if not is_final(row)), *ended.rows]
        for row in others.rows:
            if is_final(row):
                insort(rows, row, key=by_time)
        return Jobs(rows, ended.kinds + others.kinds, ended.metrics | others.metrics)

    def _told(self, name: str) -> Row:
        """Return what a live job has told of itself so far, as its follower has read it."""
        follower = followed(self.store.run(name))
        told = follower.told if follower is not None else {}
        return {"metrics": metrics(told)} if told else {}

    def _statuses(self, live: Iterable[Row]) -> dict[str, Status]:
        runs = [self.store.run(row["id"]) for row in live]
        for run in runs:
            if followed(run) is None and run.record_or_none():
                with suppress(HPCError):  # its target is there no more: it is listed as it was
                    follow(run)  # this server's one watcher a target keeps their records true
        return {run.id: status for run, status in zip(runs, refresh(runs))}

    def versions(self) -> dict[str, tuple[Any, ...]]:
        """Return what tells a change of each run."""
        fields = ("state", "reason", "node", "started_at", "ended_at")
        return {row["id"]: tuple(row[f] for f in fields) for row in self.summaries()}

    def page(self, query: Query) -> dict[str, Any]:
        """Return one page of the rows that a query means, with counts over all."""
        jobs = self._jobs()
        counts, ours = jobs.counts(), jobs.counts(foreign=False)
        found = self.found(query, jobs.rows)
        if query.sort not in ("", "time"):
            found = ordered(found, query.sort)
        if query.by:
            found = grouped(found, query.by)
        if query.unfolded:
            found = [each for row in found for each in (row, *self._under(row, query.unfolded))]
        return {
            "jobs": found[query.offset : query.offset + min(query.limit, MOST)],
            "total": len(found),
            "counts": {
                **{group: counts[group] for group in GROUPS},
                "ours": {group: ours[group] for group in ("waiting", "running")},
            },
            "targets": sorted({target for _, _, target, _ in jobs.kinds}),
            "notebooks": sorted({notebook for *_, notebook in jobs.kinds if notebook}),
        }

    def metrics(self) -> frozenset[str]:
        """Return the names of all numbers that jobs told of themselves."""
        return self._jobs().metrics

    def found(self, query: Query, rows: list[Row] | None = None) -> list[Row]:
        """Return all rows that are meant, in the order of time; the cheapest questions first."""
        rows = self._jobs().rows if rows is None else rows
        if query.means_all:
            return rows
        wanted = {key: value for key in ("state", "target", "notebook") if (value := getattr(query, key))}
        found = [
            row
            for row in rows
            if (not query.group or in_group(row, query.group)) and all(row[key] == wanted[key] for key in wanted)
        ]
        if not query.text:
            return found
        finds = finder(query.text)
        return [row for row in found if finds(row, self._text(row))]

    def _under(self, row: Row, unfolded: frozenset[str]) -> list[Row]:
        return self.foreign.tasks(row["id"]) if row.get("tasks") and row.get("id") in unfolded else []

    def _text(self, row: Row) -> str:
        known = self._texts.get(row["id"])
        if known is None or known[0] is not row:
            known = self._texts[row["id"]] = row, searched(row)
        return known[1]

    def forget(self) -> None:
        """A run is gone: the folder is listed again."""
        with self._lock:
            self._listed = 0
        self.look_anew()

    def look_anew(self) -> None:
        """Something was done: whoever asks from now on sees what came of it."""
        self._stands_until = 0.0
