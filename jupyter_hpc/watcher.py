"""One polite watcher per target and process: follows live jobs, by their files first.

The worker's own files say almost everything: they are read when the file system notifies (or every
``TICK_S``), and the scheduler is asked about all jobs of the target at once, seldom, and sooner when something
is odd: a heartbeat that fell silent, an end without a result, a word from the scheduler in its log.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import portal
from .backends.base import Backend, Observation
from .follower import LINGER_S, Follower, final_status, live_status, write_verdict
from .jobs import Job, JobState, Status
from .notifier import Notifier
from .worker.events import EVENTS

if TYPE_CHECKING:
    from .config import Target

TICK_S = 0.25  # between looks at the files of a job where nothing notifies
SETTLE_S = 0.02  # between two looks at most, however much is notified
REFRESH_S = 2.0
ODD_S = 0.25  # a scheduler needs a moment to know what the files already show; doubles with each question
QUIET_S = 60.0  # between questions about jobs that run and beat

__all__ = ["Follower", "Watcher", "cancel", "follow", "refresh", "watcher_of"]


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

    def ask_soon(self) -> None:
        """Something was done to a job: ask at the next look."""
        self._next_question = self._last_question = 0.0
        for follower in self.live.values():
            follower.questions = 0
        self._wake.set()

    async def _run(self) -> None:
        while self.live:
            try:
                await self._look()
            except Exception as error:  # a border: the watcher must outlive any one bad look
                _log(error)
            await self._settle()
            await _first(self._wake, TICK_S)
            self._wake.clear()

    async def _settle(self) -> None:
        """Wait, so that a talkative cell doesn't keep us busy; what says that a job is over is looked at now."""
        over = self._notifier.over
        if await _first(over, SETTLE_S):
            over.clear()
            self._wake.set()

    async def _look(self) -> None:
        for follower in list(self.live.values()):
            try:
                await self._look_at(follower)
            except Exception as error:  # one broken run directory must not stop the others
                self._give_up(follower, error)
        if self.live and self._must_ask():
            await self._ask()

    async def _look_at(self, follower: Follower) -> None:
        await self.backend.sync(follower.job.run)
        new, before = follower.poll(), follower.status
        if not follower.is_odd:
            follower.questions = 0
        if not self._conclude(follower) and (new or follower.status != before):
            follower.notify()

    def _must_ask(self) -> bool:
        now, jobs = time.monotonic(), self.live.values()
        is_quiet = all(f.is_quiet_life for f in jobs) and now - self._last_question < QUIET_S
        if now >= self._next_question and not is_quiet:
            return True
        slowest = self.backend.slowest_poll_s
        odd = [f for f in jobs if f.is_odd]
        waits = [min(ODD_S * 2**f.questions, slowest) if f.questions or not f.is_silent else 0.0 for f in odd]
        return bool(waits) and now - max(self._last_question, self._odd_since()) >= min(waits)

    def _odd_since(self) -> float:
        return min(f.odd_since for f in self.live.values() if f.is_odd)

    async def _ask(self) -> None:
        """One question for all jobs."""
        self._last_question = time.monotonic()
        jobs = {f.job.id: f.native_id for f in self.live.values() if f.native_id}
        try:
            found = await self.backend.observe(jobs) if jobs else {}
        except Exception as error:  # the controller is away: wait, say so, go on
            for follower in self.live.values():
                follower.say(f"{error.__class__.__name__}: {str(error).splitlines()[0]}")
            self._next_question = time.monotonic() + self.backend.slowest_poll_s
            self._last_question = time.monotonic()
            return
        for follower in list(self.live.values()):
            if follower.job.id in jobs:
                follower.questions += follower.is_odd
                follower.observe(found.get(follower.job.id, Observation(None)))
                if not self._conclude(follower):
                    follower.notify()
        youngest = min((time.monotonic() - f.changed for f in self.live.values()), default=0.0)
        self._next_question = time.monotonic() + min(
            self.backend.slowest_poll_s, max(self.backend.first_poll_s, youngest)
        )

    def _conclude(self, follower: Follower) -> bool:
        """Update the status; when the job is over, write the verdict and let the follower go."""
        verdict = follower.verdict()
        if verdict is None:
            follower.set_status(live_status(follower))
            return False
        follower.poll()
        status = final_status(follower, verdict)
        write_verdict(follower.job, status, verdict)
        self._let_go(follower, status)
        return True

    def _give_up(self, follower: Follower, error: Exception) -> None:
        """Its run directory is gone or broken: nobody may wait for ever."""
        if (follower.job.run.record_or_none() or {}).get("id"):
            _log(error)
            return
        self._let_go(follower, Status(JobState.LOST, f"its run directory can't be read: {error}"))

    def _let_go(self, follower: Follower, status: Status) -> None:
        follower.set_status(status)
        del self.live[follower.job.id]
        self._notifier.forget(follower.job)
        follower.ended.set_result(status)
        follower.notify()


async def _first(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait for an event, but not longer; tell whether it came."""
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except (asyncio.TimeoutError, TimeoutError):
        return False
    return True


# -- what the shells call ------------------------------------------------------------------------

_watchers: dict[str, tuple[Target, Watcher]] = {}
_followers: dict[str, Follower] = {}


def _forget_after_fork() -> None:
    _watchers.clear()
    _followers.clear()


os.register_at_fork(after_in_child=_forget_after_fork)


async def watcher_of(name: str) -> Watcher:
    """Return the watcher of a target, made at first use, and anew when its settings changed."""
    from .config import target

    found = target(name)
    known = _watchers.get(name)
    if known is None or known[0] != found:
        known = _watchers[name] = (found, Watcher(found.make_backend()))
    return known[1]


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
            seen = found.get(follower.job.id)
            if seen is not None or follower.native_id or _is_settled(follower):
                follower.observe(seen or Observation(None))
        verdict = follower.verdict(settled=_is_settled(follower))
        if verdict is None:
            status = live_status(follower)
            statuses.append(replace(status, reason=problem) if problem else status)
            continue
        status = final_status(follower, verdict)
        write_verdict(follower.job, status, verdict)
        statuses.append(status)
    return statuses


def _is_settled(follower: Follower) -> bool:
    """Nothing in its directory changed for long; a job without a native id may be in mid-submission."""
    run = follower.job.run
    stamps = [p.stat().st_mtime for p in (run.path, run.path / EVENTS, run.log) if p.exists()]
    age = time.time() - max(stamps, default=0.0)
    return age > (LINGER_S if follower.native_id else 60)


async def cancel(job: Job) -> None:
    """Ask the job's scheduler to end it, and remember who asked."""
    record = job.run.record()
    job.run.update(cancel_asked_at=time.time())
    watcher = await watcher_of(record["target"]["name"])
    native_id = record.get("native_id")
    if native_id:
        await watcher.backend.cancel(str(native_id))
    watcher.ask_soon()


def _log(error: BaseException) -> None:
    import logging

    logging.getLogger(__name__).warning("a look at the jobs failed: %s", error, exc_info=error)
