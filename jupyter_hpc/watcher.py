"""One polite watcher per target and process: follows live jobs, by their files first.

The worker's own files say almost everything: they are read when the file system notifies (or every
``TICK_S``), and the scheduler is asked about all jobs of the target at once, seldom, and sooner when something
is odd: a heartbeat that fell silent, an end without a result, a word from the scheduler in its log.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from . import portal
from .backends.base import Backend, Observation
from .jobs import Job, JobState, Status
from .postmortem import Verdict, judge
from .reader import RunReader

TICK_S = 0.25  # between looks at the files of a job where nothing notifies
SETTLE_S = 0.02  # between two looks at most, however much is notified
SILENCE_S = 1.5  # a heartbeat older than this makes us ask
REFRESH_S = 2.0
LINGER_S = 8.0  # how long a result may take to show up on a network file system after the job ended


class Watcher:
    """Follows the jobs of one target."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.live: dict[str, Follower] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._notifier = Notifier(self._wake)
        self._next_question = 0.0
        self._last_question = 0.0

    def add(self, follower: Follower) -> None:
        self.live[follower.job.id] = follower
        self._notifier.watch(follower.job)
        self._next_question = min(self._next_question or 1e18, time.monotonic() + self.backend.first_poll_s)
        self._wake.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while self.live:
            try:
                await self._look()
            except Exception as error:  # a border: the watcher must outlive any one bad look
                _log(error)
            await asyncio.sleep(SETTLE_S)
            try:
                await asyncio.wait_for(self._wake.wait(), TICK_S)
            except (asyncio.TimeoutError, TimeoutError):
                pass
            self._wake.clear()

    async def _look(self) -> None:
        now = time.monotonic()
        urgent = False
        for follower in list(self.live.values()):
            await self.backend.sync(follower.job.run)
            new = follower.poll()
            before = follower.status
            if not self._conclude(follower):
                urgent |= self._is_odd(follower)
                if new or follower.status != before:
                    follower.notify()
        due = now >= self._next_question
        if self.live and (due or (urgent and now - self._last_question > 0.4)):
            await self._ask()

    def _is_odd(self, follower: Follower) -> bool:
        reader = follower.reader
        if follower.observation is not None and follower.observation.state is not None:
            if follower.observation.state.is_final:
                return False
        if reader.end is not None or reader.signals or follower.missing_since is not None:
            return True
        return follower.is_silent or "slurmstepd" in reader.scheduler_text()[-2000:]

    async def _ask(self) -> None:
        """One question for all jobs."""
        self._last_question = time.monotonic()
        jobs = {f.job.id: f.native_id for f in self.live.values() if f.native_id}
        try:
            found = await self.backend.observe(jobs) if jobs else {}
        except Exception as error:  # the controller is away: wait, say so, go on
            for follower in self.live.values():
                self._say(follower, f"{error.__class__.__name__}: {str(error).splitlines()[0]}")
            self._next_question = time.monotonic() + self.backend.slowest_poll_s
            return
        for follower in list(self.live.values()):
            if follower.job.id not in jobs:
                continue
            observation = found.get(follower.job.id)
            if observation is None:
                follower.missing_since = follower.missing_since or time.monotonic()
                follower.observation = Observation(None)
            else:
                follower.missing_since, follower.observation = None, observation
            follower.poll()
            if not self._conclude(follower):
                follower.notify()
        youngest = min((time.monotonic() - f.changed for f in self.live.values()), default=0.0)
        self._next_question = time.monotonic() + min(
            self.backend.slowest_poll_s, max(self.backend.first_poll_s, youngest)
        )

    def _say(self, follower: Follower, reason: str) -> None:
        old = follower.status
        follower.set_status(Status(old.state, reason, old.node, old.native_id, old.started_at))
        follower.notify()

    def _conclude(self, follower: Follower) -> bool:
        """Update the status; when the job is over, write the verdict and let the follower go."""
        verdict = judge(follower.reader, follower.observation)
        if verdict is None and follower.missing_since is not None:
            if time.monotonic() - follower.missing_since > LINGER_S:
                verdict = judge(follower.reader, follower.observation, is_lost=True)
        if verdict is None or (verdict.needs_scheduler and not self._has_waited(follower)):
            follower.set_status(live_status(follower))
            return False
        follower.poll()
        status = final_status(follower, verdict)
        follower.set_status(status)
        write_verdict(follower.job, status, verdict)
        del self.live[follower.job.id]
        self._notifier.forget(follower.job)
        follower.ended.set_result(status)
        follower.notify()
        return True

    def _has_waited(self, follower: Follower) -> bool:
        """The scheduler was asked after the end was seen, or can't say more."""
        if follower.end_seen is None:
            follower.end_seen = time.monotonic()
            follower.missing_since = None
        observation = follower.observation
        if observation is not None and (observation.state is None or observation.state.is_final):
            return True
        return time.monotonic() - follower.end_seen > 1.6


# -- what the shells call ------------------------------------------------------------------------

_watchers: dict[str, Watcher] = {}
_followers: dict[str, Follower] = {}


def _forget_after_fork() -> None:
    _watchers.clear()
    _followers.clear()


os.register_at_fork(after_in_child=_forget_after_fork)


async def watcher_of(name: str) -> Watcher:
    """Return the watcher of a target, made at first use."""
    if name not in _watchers:
        from .config import target

        found = target(name)
        _watchers[name] = Watcher(found.make_backend())
    return _watchers[name]


def follow(job: Job) -> Follower:
    """Return this process's follower of a job; a job that has ended needs no watcher."""
    known = _followers.get(job.id)
    if known is not None and (not known.ended.done() or known.job is job):
        return known
    record = job.run.record()
    follower = Follower(job, record)
    final = _recorded_status(record)
    if final is not None:
        follower.status = final
        follower.ended.set_result(final)
        return follower
    _followers[job.id] = follower

    async def add() -> None:
        (await watcher_of(record["target"]["name"])).add(follower)

    portal.call(add())
    return follower


def _recorded_status(record: dict[str, Any]) -> Status | None:
    state = record.get("state")
    if state not in JobState.__members__ or not JobState(state).is_final:
        return None
    return Status(
        JobState(state),
        record.get("reason") or "",
        record.get("node") or "",
        str(record.get("native_id") or ""),
        record.get("started_at"),
        record.get("ended_at"),
    )


_refreshed: dict[str, tuple[float, Status]] = {}


def refresh(jobs: Sequence[Job]) -> list[Status]:
    """Return the statuses of many jobs: from records, live followers, and one question for each target."""
    statuses: dict[str, Status] = {}
    unknown: dict[str, list[Job]] = {}
    for job in jobs:
        record = job.run.record_or_none() or {}
        final = _recorded_status(record)
        known = _followers.get(job.id)
        cached = _refreshed.get(job.id)
        if final is not None:
            statuses[job.id] = final
        elif known is not None:
            statuses[job.id] = known.status
        elif cached is not None and time.monotonic() - cached[0] < REFRESH_S:
            statuses[job.id] = cached[1]
        elif record.get("target"):
            unknown.setdefault(record["target"]["name"], []).append(job)
        else:
            statuses[job.id] = Status(JobState.LOST, "its record can't be read")
    for name, group in unknown.items():
        found = portal.call(_refresh_target(name, group), 60)
        for job, status in zip(group, found):
            _refreshed[job.id] = (time.monotonic(), status)
            statuses[job.id] = status
    return [statuses[job.id] for job in jobs]


async def _refresh_target(name: str, jobs: list[Job]) -> list[Status]:
    followers = [Follower(job, job.run.record()) for job in jobs]
    try:
        backend = (await watcher_of(name)).backend
        found = await backend.observe({f.job.id: f.native_id for f in followers if f.native_id})
        problem = ""
    except Exception as error:  # no scheduler here: the files still say much
        found, problem = None, str(error).splitlines()[0]
    statuses = []
    for follower in followers:
        follower.poll()
        if found is not None:
            follower.observation = found.get(follower.job.id, Observation(None))
        vanished = found is not None and follower.job.id not in found and _old_enough(follower)
        verdict = judge(follower.reader, follower.observation, is_lost=vanished)
        if verdict is None:
            status = live_status(follower)
            statuses.append(
                status
                if not problem
                else Status(status.state, problem, status.node, status.native_id, status.started_at)
            )
            continue
        status = final_status(follower, verdict)
        write_verdict(follower.job, status, verdict)
        statuses.append(status)
    return statuses


def _old_enough(follower: Follower) -> bool:
    """A job without a native id may be in the middle of its submission."""
    created = float(follower.job.run.record().get("created", 0))
    return bool(follower.native_id) or time.time() - created > 60


async def cancel(job: Job) -> None:
    """Ask the job's scheduler to end it, and remember who asked."""
    record = job.run.record()
    job.run.update(cancel_asked_at=time.time())
    backend = (await watcher_of(record["target"]["name"])).backend
    native_id = record.get("native_id")
    if native_id:
        await backend.cancel(str(native_id))


def _log(error: BaseException) -> None:
    import logging

    logging.getLogger(__name__).warning("a look at the jobs failed: %s", error, exc_info=error)
