"""How jobs stand: from their records, the live followers, their files, and seldom a question to the scheduler."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from ..jobs.job import Job
from ..model.states import JobState, Status
from ..rundir.tasks import tasks_of
from ..runtime import portal
from .arrays import write_end
from .ending import write_verdict
from .follower import LINGER_S, Follower, final_status, live_status
from .following import followed, watcher_of
from .status import combined, recorded_status

_seen: dict[str, Follower] = {}  # of jobs that are looked at now and then
os.register_at_fork(after_in_child=_seen.clear)


def refresh(jobs: Sequence[Job]) -> list[Status]:
    """Return the statuses of many jobs: from records, live followers, their files, and one question for each target.

    Where the scheduler was asked often lately, its last answer stands.
    """
    statuses: dict[str, Status] = {}
    unknown: dict[str, list[Job]] = {}
    for job in jobs:
        known = followed(job)
        if known is not None:  # it has read the files already
            statuses[job.id] = known.status
            _seen.pop(job.id, None)
            continue
        record = job.run.record_or_none() or {}
        final = recorded_status(record)
        if final is not None:
            statuses[job.id] = final
            _seen.pop(job.id, None)
        elif tasks := tasks_of(job, record):
            statuses[job.id] = _of_array(job, tasks, str(record.get("native_id") or ""))
        elif record.get("target"):
            unknown.setdefault(record["target"]["name"], []).append(job)
        else:
            statuses[job.id] = Status(JobState.LOST, "its record can't be read")
    for name, group in unknown.items():
        found = portal.call(_refresh_target(name, group), 60)
        statuses.update({job.id: status for job, status in zip(group, found)})
    return [statuses[job.id] for job in jobs]


def _of_array(job: Job, tasks: list[Job], native_id: str) -> Status:
    status = combined(refresh(tasks), native_id)
    if status.state.is_final:
        write_end(job, status)
    return status


async def _refresh_target(name: str, jobs: list[Job]) -> list[Status]:
    followers = [_seen_again(job) for job in jobs]
    await _look_up(name, followers)
    return [_judged(follower) for follower in followers]


def _seen_again(job: Job) -> Follower:
    record = job.run.record()
    known = _seen.get(job.id)
    if known is None or known.native_id != str(record.get("native_id") or ""):
        known = _seen[job.id] = Follower(job, record, is_watched=False)
    known.poll()
    return known


async def _look_up(name: str, followers: list[Follower]) -> None:
    """Bring what the scheduler says, as far as it may be asked now."""
    try:
        watcher = await watcher_of(name)
        found = await watcher.glance({f.job.id: f.native_id for f in followers})
        trouble = watcher.trouble
    except Exception as error:  # no such target any more: the files still say much
        found, trouble = {}, str(error).splitlines()[0]
    for follower in followers:
        follower.trouble = trouble
        seen = found.get(follower.job.id)
        if seen is None or (seen.state is None and not follower.native_id and not follower.is_untouched):
            continue
        if seen.state is None and follower.is_untouched:  # long enough for any archive
            seen = replace(seen, is_settled=True)
        follower.observe(seen)


def _judged(follower: Follower) -> Status:
    follower.poll()
    verdict = follower.verdict(settled=follower.untouched_s > LINGER_S)
    if verdict is None:
        return live_status(follower)
    status = final_status(follower, verdict)
    write_verdict(follower, status, verdict)
    _seen.pop(follower.job.id, None)
    return status
