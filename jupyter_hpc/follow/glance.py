"""How jobs stand: from their records, the live followers, their files, and seldom a question to the scheduler."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..model.exceptions import HPCError
from ..model.states import JobState, Status
from ..rundir.parts import parts_of
from ..rundir.reader import PartsReader, RunReader, reader_of
from ..rundir.run import Run
from ..runtime import portal
from ..views.log import LogTail
from ..views.picture import Part, Picture
from .doubt import LINGER_S
from .ending import end_poorly, write_verdict
from .follower import Follower, final_status, live_status
from .following import followed, watcher_of
from .left_over import end_left_over, ghosts
from .parts_follower import write_end
from .status import combined, recorded_status
from .trouble import described

_seen: dict[str, Follower] = {}  # of jobs that are looked at now and then
os.register_at_fork(after_in_child=_seen.clear)


def look(run: Run, reader: RunReader | PartsReader | None = None, tail: LogTail | None = None) -> Picture:
    """Take a picture of a run: its record and its files are read once.

    Parameters
    ----------
    reader, tail
        What has read the run's outputs so far, where somebody has; else they are read now, whole.
    """
    record = run.record()
    tasks = parts_of(run, record)
    parts = list(zip(tasks, refresh(tasks, {run.id: record})))
    status = _of_array(run, record, parts) if parts else refresh([run], {run.id: record})[0]
    if status.state.is_final and record.get("state") != status.state.value:
        record = run.record()  # its end was written just now
    if reader is None or tail is None:
        reader, tail = reader_of(run, record), LogTail(traceback=True)
        tail.add(reader.poll(everything=True))
    return Picture(run, record, status, parts, reader, tail)


def refresh(runs: Sequence[Run], records: Mapping[str, dict[str, Any]] | None = None) -> list[Status]:
    """Return the statuses of many jobs: from records, live followers, their files, and one question for each target.

    Where the scheduler was asked often lately, its last answer stands.

    Parameters
    ----------
    records : mapping, optional
        Records that were read already, by run id; a part's own fields are read beside the whole's.
    """
    statuses: dict[str, Status] = {}
    unknown: dict[str, list[tuple[Run, dict[str, Any]]]] = {}
    for run in runs:
        run.catch_up()
        known = followed(run)
        if known is not None:  # it has read the files already
            statuses[run.id] = known.status
            _seen.pop(run.id, None)
            continue
        record = _record_of(run, records or {})
        final = recorded_status(record)
        if final is not None:
            statuses[run.id] = final
            _seen.pop(run.id, None)
        elif tasks := parts_of(run, record):
            statuses[run.id] = _of_array(run, record, list(zip(tasks, refresh(tasks, {run.id: record}))))
        elif record.get("target"):
            unknown.setdefault(record["target"]["name"], []).append((run, record))
        else:
            statuses[run.id] = Status(JobState.LOST, "its record can't be read")
    for name, group in unknown.items():
        found = portal.call(_refresh_target(name, group), 60)
        statuses.update({run.id: status for (run, _), status in zip(group, found)})
    return [statuses[run.id] for run in runs]


def sweep(target: str) -> list[str]:
    """Ask a target's scheduler for jobs of runs that have ended, end them, and return the runs' ids."""

    async def asked() -> list[str]:
        watcher = await watcher_of(target)
        if not watcher.backend.holds_jobs:
            return []
        backend = watcher.backend
        await backend.observe({})
        return await end_left_over(backend, watcher.live, {**backend.held(), **ghosts(backend)})

    return portal.call(asked(), 60)


def _record_of(run: Run, read: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    if run.id in read:
        return read[run.id]
    whole = read.get(run.whole.id) if run.whole is not None else None
    return (run.record_within(whole) if whole else run.record_or_none()) or {}


def _of_array(run: Run, record: dict[str, Any], parts: Sequence[Part]) -> Status:
    known = followed(run)
    if known is not None:
        return known.status
    final = recorded_status(record)
    if final is not None:
        return final
    status = combined([status for _, status in parts], str(record.get("native_id") or ""))
    if status.state.is_final:
        write_end(run, status)
    return status


async def _refresh_target(name: str, runs: list[tuple[Run, dict[str, Any]]]) -> list[Status]:
    followers = [_seen_again(run, record) for run, record in runs]
    await _look_up(name, followers)
    return [_judged(follower) for follower in followers]


def _seen_again(run: Run, record: dict[str, Any]) -> Follower:
    known = _seen.get(run.id)
    if known is None or known.native_id != str(record.get("native_id") or ""):
        known = _seen[run.id] = Follower(run, record, is_watched=False)
    try:
        known.poll()
    except Exception as error:  # one broken run is one line of a listing
        known.trouble.met(error)
    return known


async def _look_up(name: str, followers: list[Follower]) -> None:
    """Bring what the scheduler says, as far as it may be asked now."""
    try:
        watcher = await watcher_of(name)
        found = await watcher.glance({f.run.id: f.native_id for f in followers})
        trouble = watcher.trouble
    except Exception as error:  # no such target any more: the files still say much
        found, trouble = {}, error.message if isinstance(error, HPCError) else described(error)
    for follower in followers:
        follower.incidents.trouble = trouble
        seen = found.get(follower.run.id)
        if seen is None or follower.may_be_under_way(seen):
            continue
        if seen.state is None and follower.is_untouched:  # long enough for any archive
            seen = replace(seen, is_settled=True)
        try:
            follower.observe(seen)
        except Exception as error:  # as above
            follower.trouble.met(error)


def _judged(follower: Follower) -> Status:
    try:
        return _status_of(follower)
    except Exception as error:  # as above
        follower.trouble.met(error)
        known = end_poorly(follower, error)
        return known or replace(follower.status, reason=f"its files can't be understood: {described(error)}")


def _status_of(follower: Follower) -> Status:
    verdict = follower.verdict(settled=follower.untouched_s > LINGER_S)
    if verdict is None:
        return live_status(follower)
    status = final_status(follower, verdict)
    write_verdict(follower, status, verdict)
    _seen.pop(follower.run.id, None)
    return status
