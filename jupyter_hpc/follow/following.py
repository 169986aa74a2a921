"""The jobs that this process follows, and the watchers that follow them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ..backends.base import NoAnswer
from ..backends.budget import Budget
from ..jobs.job import Job
from ..model.exceptions import HPCError
from ..rundir.tasks import tasks_of
from ..runtime import portal
from .arrays import ArrayFollower, Follows
from .follower import Follower
from .status import recorded_status
from .watcher import Watcher

if TYPE_CHECKING:
    from ..targets.target import Target


_watchers: dict[str, tuple[Target, Watcher]] = {}


_followers: dict[str, Follows] = {}


def _forget_after_fork() -> None:
    _watchers.clear()
    _followers.clear()


os.register_at_fork(after_in_child=_forget_after_fork)


def budgets() -> dict[str, Budget]:
    """Return how much each target's scheduler was asked by this process."""
    return {name: found.backend.budget for name, (_, found) in list(_watchers.items())}


async def watcher_of(name: str) -> Watcher:
    """Return the watcher of a target, made at first use, and anew when its settings changed."""
    from ..targets.targets import target

    found = target(name)
    known = _watchers.get(name)
    if known is None or known[0] != found:
        if known is not None and not known[1].live:
            await known[1].backend.close()
        known = _watchers[name] = (found, Watcher(found.make_backend()))
    return known[1]


def follow(job: Job) -> Follows:
    """Return this process's follower of a job; a job that has ended needs no watcher."""
    new: list[Follower] = []
    found = _follower_of(job, new)

    async def add() -> None:
        watcher = await watcher_of(job.target)
        for follower in new:
            watcher.add(follower)

    if new:  # all tasks of an array at once: between two of them the watcher would look at all that it has
        portal.call(add())
    return found


def _follower_of(job: Job, new: list[Follower]) -> Follows:
    """Return a job's follower; those that a watcher doesn't have yet are added to ``new``."""
    known = _followers.get(job.id)
    if known is not None and (not known.ended.done() or known.job is job):
        return known
    record = job.run.record()
    follower = Follower(job, record)
    final = recorded_status(record)
    if final is not None:
        follower.status = final
        follower.ended.set_result(final)
        return follower
    if tasks := tasks_of(job, record):
        array = ArrayFollower(job, [_follower_of(task, new) for task in tasks], follower.native_id)
        if not array.ended.done():
            _followers[job.id] = array
        return array
    _followers[job.id] = follower
    new.append(follower)
    return follower


def followed(job: Job) -> Follows | None:
    """Return this process's follower of a job, if it has one."""
    return _followers.get(job.id)


async def cancel(job: Job) -> None:
    """Ask the job's scheduler to end it, and remember who asked, unless it refuses."""
    record = job.run.record()
    job.run.update(cancel_asked_at=time.time())
    watcher = await watcher_of(record["target"]["name"])
    native_id = record.get("native_id")
    try:
        if native_id:
            await watcher.backend.cancel(str(native_id))
    except NoAnswer:  # it may have happened
        raise
    except HPCError:
        job.run.update(cancel_asked_at=record.get("cancel_asked_at"))
        raise
    watcher.ask_soon()
