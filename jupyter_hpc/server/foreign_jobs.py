"""Jobs of the user that this package did not submit, as rows beside our own.

They come from what the schedulers last said about ours. Only where that is old, or nothing of ours goes on, and
somebody looks, is there a question for them, within the same budget.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import time
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

from ..follow.following import watcher_of
from ..follow.watcher import Watcher
from ..model.exceptions import HPCError, JobNotFound
from ..model.observation import ForeignJob
from ..model.printable import printable
from ..runtime import portal
from ..targets.targets import targets

PATIENCE_S = 10.0
OLD_S = 60.0  # an answer of this age is asked for anew
SEPARATOR = "~"  # between target and native id; no run id has one
_log = logging.getLogger(__name__)
_background: set[asyncio.Task[Any]] = set()


class ForeignJobs:
    """What the schedulers of all targets said last. Any thread may ask."""

    def __init__(self) -> None:
        self._asked: dict[str, float] = {}
        self._known: dict[str, tuple[str, str, ForeignJob]] = {}

    def rows(self, runs: Container[str]) -> list[dict[str, Any]]:
        """Return a row for each job of the last look that belongs to none of these runs, newest first."""
        rows = [
            row(key, target, backend, job)
            for key, (target, backend, job) in self._known.items()
            if not (job.run_id and (job.run_id in runs or job.seen.state is None or job.seen.state.is_final))
        ]
        return sorted(rows, key=lambda each: each["created"] or 0.0, reverse=True)

    def find(self, key: str) -> tuple[dict[str, Any], ForeignJob]:
        """Return the row and the job with an id that a list gave.

        Raises
        ------
        JobNotFound
            If the scheduler doesn't list it any more.
        """
        if key not in self._known:
            self.look()
        if key not in self._known:
            raise JobNotFound(f"There is no job {key}.", hint="The scheduler doesn't list it any more.")
        target, backend, job = self._known[key]
        return row(key, target, backend, job), job

    def look(self) -> None:
        """Take what the schedulers said last."""
        try:
            self._known = portal.call(self._collect(), PATIENCE_S)
        except TimeoutError:  # what was known before stands
            _log.warning("the schedulers' other jobs could not be read in time")

    async def _collect(self) -> dict[str, tuple[str, str, ForeignJob]]:
        found: dict[str, tuple[str, str, ForeignJob]] = {}
        for target in targets().values():
            try:
                jobs = await self._of(target.name)
            except Exception as error:  # a border: a target that can't be used has no jobs; the cluster view says why
                _log.debug("no foreign jobs of %s: %s", target.name, error)
                continue
            for job in jobs:
                key = f"{target.name}{SEPARATOR}{job.native_id.replace('/', '.')}"
                found[key] = (target.name, target.backend, job)
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


def row(key: str, target: str, backend: str, job: ForeignJob) -> dict[str, Any]:
    """Return what a list shows of a foreign job: the fields of our own, and the mark."""
    seen = job.seen
    found: dict[str, Any] = {
        "id": key,
        "name": job.name or job.native_id,
        "target": target,
        "backend": backend,
        "native_id": job.native_id,
        "state": seen.state.value if seen.state else "LOST",
        "reason": seen.reason,
        "error": "",
        "node": seen.node,
        "created": job.submitted_at,
        "started_at": seen.started_at,
        "ended_at": seen.ended_at,
        "time_limit_s": job.time_limit_s,
        "gpus": job.gpus,
        "gpu_type": job.gpu_type,
        "notebook": "",
        "tasks": 0,
        "foreign": True,
    }
    return {name: printable(value) if isinstance(value, str) else value for name, value in found.items()}


def detail(summary: dict[str, Any], job: ForeignJob) -> dict[str, Any]:
    """Return what a job's view shows: all that the scheduler tells."""
    lists = ("why", "evidence", "attempts", "inputs", "outputs", "samples", "array_tasks")
    return {
        **summary,
        **{name: [] for name in lists},
        "hint": "",
        "resources": {},
        "spec": {},
        "code": "",
        "unsent": {},
        "directory": "",
        "log_path": printable(str(job.log or "")),
        "ends_with": job.ends_with,
    }


def readable_log(job: ForeignJob) -> Path:
    """Return where the job's log is, if this user may read it.

    Raises
    ------
    HPCError
        Saying why it can't be shown.
    """
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
