"""Jobs of the user that this package did not submit, as rows beside our own.

They come from what the schedulers last said about ours. Only where that is old, or nothing of ours goes on, and
somebody looks, is there a question for them, within the same budget.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
import time
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from ..follow.following import watcher_of
from ..follow.watcher import Watcher
from ..model.exceptions import HPCError, JobNotFound
from ..model.observation import ForeignJob
from ..model.printable import printable
from ..model.states import state_words
from ..runtime import portal
from ..targets.targets import targets
from ..views.job_order import is_final, rank_of
from ..views.job_row import printable_row

PATIENCE_S = 10.0
OLD_S = 60.0  # an answer of this age is asked for anew
ACT_S = 60.0
ACTS = ("cancel", "hold", "release", "requeue")
SEPARATOR = "~"  # between target and native id; no run id has one
_log = logging.getLogger(__name__)
_background: set[asyncio.Task[Any]] = set()


@dataclass(frozen=True)
class Known:
    """A job as its scheduler said last."""

    target: str
    backend: str
    job: ForeignJob

    @property
    def key(self) -> str:
        return f"{self.target}{SEPARATOR}{self.job.native_id.replace('/', '.')}"

    @property
    def row_key(self) -> str:
        """The id of the row that it is in: of a task, its array's."""
        return f"{self.target}{SEPARATOR}{self.job.array}" if self.job.array else self.key


class Found(NamedTuple):
    """A job or an array that a list gave: its row, and the tasks by their ids."""

    row: dict[str, Any]
    job: ForeignJob
    tasks: Sequence[tuple[str, ForeignJob]] = ()


class ForeignJobs:
    """What the schedulers of all targets said last. Any thread may ask."""

    def __init__(self) -> None:
        self._asked: dict[str, float] = {}
        self._known: dict[str, Known] = {}

    def rows(self, runs: Container[str]) -> list[dict[str, Any]]:
        """Return a row for each job of the last look that belongs to none of these runs, newest first."""
        found: dict[str, list[Known]] = {}
        for known in self._known.values():
            job = known.job
            if not (job.run_id and (job.run_id in runs or job.seen.state is None or job.seen.state.is_final)):
                found.setdefault(known.row_key, []).append(known)
        rows = [array_row(key, tasks) if tasks[0].job.array else row(tasks[0]) for key, tasks in found.items()]
        return sorted(rows, key=lambda each: each["created"] or 0.0, reverse=True)

    def tasks(self, key: str) -> list[dict[str, Any]]:
        """Return the rows of an array's tasks, in order."""
        return [{**row(known), "array": key} for known in self._tasks(key)]

    def _tasks(self, key: str) -> list[Known]:
        found = [known for known in self._known.values() if known.job.array and known.row_key == key]
        return sorted(found, key=lambda known: index_of(known.job))

    def find(self, key: str) -> Found:
        """Return what is known of the job, or the array, with an id that a list gave.

        Raises
        ------
        JobNotFound
            If the scheduler doesn't list it any more.
        """
        found = self._found(key)
        if found is None:
            self.look()
            found = self._found(key)
        if found is None:
            raise JobNotFound(f"There is no job {key}.", hint="The scheduler doesn't list it any more.")
        return found

    def _found(self, key: str) -> Found | None:
        if known := self._known.get(key):
            return Found(row(known), known.job)
        tasks = self._tasks(key)
        if not tasks:
            return None
        one = tasks[0].job
        whole = replace(one, native_id=one.array, log=None, ends_with=_of_array(one.ends_with, one))
        return Found(array_row(key, tasks), whole, [(known.key, known.job) for known in tasks])

    def act(self, key: str, act: str) -> None:
        """Cancel, hold, release or requeue a job that a list gave, if its state allows that.

        Raises
        ------
        HPCError
            If it doesn't, it is not the user's, or the scheduler refuses.
        """
        self.look()
        found = self.find(key)
        if act not in found.row["acts"]:
            may = ", ".join(found.row["acts"]) or "nothing"
            words = state_words(found.row["state"])
            raise HPCError(
                f"{found.job.native_id} can't be changed so: {act} is not for a job that is {words}.",
                hint=f"What can be done with it from here: {may}.",
            )
        portal.call(self._act(found.row["target"], found.job.native_id, act), ACT_S)

    async def _act(self, target: str, native_id: str, act: str) -> None:
        watcher = await watcher_of(target)
        await watcher.backend.act_on_foreign(native_id, act)
        with contextlib.suppress(HPCError):  # it was done; how things stand now is seen later
            await watcher.backend.observe({})

    def look(self) -> None:
        """Take what the schedulers said last."""
        try:
            self._known = portal.call(self._collect(), PATIENCE_S)
        except TimeoutError:  # what was known before stands
            _log.warning("the schedulers' other jobs could not be read in time")

    async def _collect(self) -> dict[str, Known]:
        found: dict[str, Known] = {}
        for target in targets().values():
            try:
                jobs = await self._of(target.name)
            except Exception as error:  # a border: a target that can't be used has no jobs; the cluster view says why
                _log.debug("no foreign jobs of %s: %s", target.name, error)
                continue
            for job in jobs:
                known = Known(target.name, target.backend, job)
                found[known.key] = known
        return found

    async def _of(self, name: str) -> Sequence[ForeignJob]:
        watcher = await watcher_of(name)
        if not watcher.backend.lists_foreign:
            return ()
        self._keep_fresh(name, watcher)
        return await watcher.backend.foreign_jobs()

    def _keep_fresh(self, name: str, watcher: Watcher) -> None:
        now = time.monotonic()
        last = max(watcher.answered, self._asked.get(name, 0.0))
        if not last or now - last > OLD_S:
            self._asked[name] = now
            task = asyncio.get_running_loop().create_task(watcher.glance({}))
            _background.add(task)
            task.add_done_callback(_background.discard)


def row(known: Known) -> dict[str, Any]:
    """Return what a list shows of a foreign job: the fields of our own, and the mark."""
    job, seen = known.job, known.job.seen
    found: dict[str, Any] = {
        "id": known.key,
        "name": job.name or job.native_id,
        "target": known.target,
        "backend": known.backend,
        "native_id": job.native_id,
        "state": seen.state.value if seen.state else "LOST",
        "reason": seen.reason,
        "error": "",
        "node": seen.node,
        "partition": "",
        "created": job.submitted_at,
        "started_at": seen.started_at,
        "ended_at": seen.ended_at,
        "time_limit_s": job.time_limit_s,
        "gpus": job.gpus,
        "gpu_type": job.gpu_type,
        "notebook": "",
        "tasks": 0,
        "task_states": {},
        "array": "",
        "tags": [],
        "metrics": [],
        "acts": [*job.acts],
        "foreign": True,
    }
    return printable_row(found)


def array_row(key: str, tasks: Sequence[Known]) -> dict[str, Any]:
    """Return one row for all tasks of an array that the scheduler lists."""
    rows = [row(known) for known in tasks]
    states = Counter(each["state"] for each in rows)
    state = min(states, key=rank_of)
    running = [each for each in rows if each["state"] == "RUNNING"]
    acts = {act for known in tasks for act in known.job.acts}
    is_over = all(is_final(each) for each in rows)
    reasons = {each["reason"] for each in rows if each["state"] == state}
    return {
        **rows[0],
        "id": key,
        "native_id": tasks[0].job.array,
        "state": state,
        "reason": reasons.pop() if len(reasons) == 1 else "",
        "node": "",
        "started_at": min((each["started_at"] for each in rows if each["started_at"]), default=None),
        "ended_at": max((each["ended_at"] for each in rows if each["ended_at"]), default=None) if is_over else None,
        "gpus": sum(each["gpus"] for each in running),
        "tasks": len(rows),
        "task_states": {name: states[name] for name in sorted(states, key=rank_of)},
        "acts": [act for act in ACTS if act in acts],
    }


def index_of(job: ForeignJob) -> int:
    """Return the number of an array's task."""
    number = job.native_id.rpartition("_")[2]
    return int(number) if number.isdecimal() else 0


def _of_array(command: str, job: ForeignJob) -> str:
    return command.replace(job.native_id, job.array)


def detail(found: Found) -> dict[str, Any]:
    """Return what a job's view shows: all that the scheduler tells."""
    lists = ("evidence", "attempts", "inputs", "outputs", "samples", "charts")
    return {
        **found.row,
        **{name: [] for name in lists},
        "array_tasks": [
            {
                "id": key,
                "task": index_of(job),
                "state": str(job.seen.state or "LOST"),
                "reason": printable(job.seen.reason),
            }
            for key, job in found.tasks[:1000]
        ],
        "waiting": None,
        "hint": "",
        "resources": {},
        "spec": {},
        "code": "",
        "unsent": {},
        "directory": "",
        "log_path": printable(str(found.job.log or "")),
        "ends_with": found.job.ends_with,
    }


def readable_log(job: ForeignJob) -> Path:
    """Return where the job's log is, if this user may read it.

    Raises
    ------
    HPCError
        Saying why it can't be shown.
    """
    if job.log is None and job.array and not job.native_id.startswith(f"{job.array}_"):
        raise HPCError(f"The tasks of {job.native_id} have a log each.", hint="Open one of its tasks.")
    if job.log is None:
        raise HPCError(f"{job.native_id} has no log in a file that is known here.")
    try:
        mode = job.log.stat().st_mode
    except FileNotFoundError:
        begun = job.seen.started_at is not None
        why = "isn't there, or on another machine" if begun else "will be there when the job has begun"
        raise HPCError(f"The log {job.log} {why}.") from None
    except OSError as error:
        raise HPCError(f"The log {job.log} can't be read: {error.strerror}.") from None
    if not stat.S_ISREG(mode) or not os.access(job.log, os.R_OK):
        raise HPCError(f"The log {job.log} is no file that you may read.")
    return job.log
