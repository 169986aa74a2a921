"""The jobs that this process follows, and the watchers that follow them."""

from __future__ import annotations

import asyncio
import os

from ..backends.base import NoAnswer
from ..model.exceptions import HPCError
from ..rundir.parts import parts_of
from ..rundir.run import Run
from ..runtime import portal
from ..targets.connection import connection_of
from .follower import Follower
from .parts_follower import Follows, PartsFollower
from .status import recorded_status
from .watcher import Watcher

NOTE_S = 2.0  # a record takes milliseconds
_watchers: dict[str, Watcher] = {}
_followers: dict[str, Follows] = {}


def _forget_after_fork() -> None:
    _watchers.clear()
    _followers.clear()


os.register_at_fork(after_in_child=_forget_after_fork)


async def watcher_of(name: str) -> Watcher:
    """Return the watcher of a target, made at first use, and anew when its settings changed."""
    connection = await connection_of(name)
    known = _watchers.get(name)
    if known is None or known.connection is not connection:
        known = _watchers[name] = Watcher(connection)
    return known


def follow(run: Run) -> Follows:
    """Return this process's follower of a run; a job that has ended needs no watcher."""
    new: list[Follower] = []
    found = _follower_of(run, new)

    async def add() -> None:
        watcher = await watcher_of(str(run.record()["target"]["name"]))
        for follower in new:
            watcher.add(follower)

    if new:  # all tasks of an array at once: between two of them the watcher would look at all that it has
        portal.call(add())
    return found


def _follower_of(run: Run, new: list[Follower]) -> Follows:
    """Return a run's follower; those that a watcher doesn't have yet are added to ``new``."""
    known = _followers.get(run.id)
    if known is not None and (not known.ended.done() or known.run is run):
        return known
    record = run.record()
    follower = Follower(run, record)
    final = recorded_status(record)
    if final is not None:
        follower.status = final
        follower.ended.set_result(final)
        return follower
    if tasks := parts_of(run, record):
        array = PartsFollower(run, [_follower_of(task, new) for task in tasks], follower.native_id)
        if not array.ended.done():
            _followers[run.id] = array
        return array
    _followers[run.id] = follower
    new.append(follower)
    return follower


def followed(run: Run) -> Follows | None:
    """Return this process's follower of a run, if it has one."""
    return _followers.get(run.id)


async def cancel(run: Run) -> None:
    """Ask the job's scheduler to end it, and remember who asked, unless it refuses.

    The record says so first: a job may end a millisecond after its scheduler was asked, and whoever sees that must
    know by whom. But no disk keeps a job alive: what isn't written soon is written meanwhile.
    """
    record = run.record()
    watcher = await watcher_of(record["target"]["name"])
    native_id = str(record.get("native_id") or "")
    noting = asyncio.ensure_future(asyncio.to_thread(run.note_cancel))
    await asyncio.wait([noting], timeout=NOTE_S)
    asking = [watcher.backend.cancel(run, native_id)] if native_id else []
    *asked, noted = await asyncio.gather(*asking, noting, return_exceptions=True)
    for error in asked:
        if isinstance(error, HPCError) and not isinstance(error, NoAnswer):  # else it may have happened
            run.forget_cancel(record.get("cancel_asked_at"))
    for error in (*asked, noted):
        if isinstance(error, BaseException):
            raise error
    watcher.ask_soon()
