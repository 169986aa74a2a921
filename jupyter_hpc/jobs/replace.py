"""A job that waits, and another one in its place: one of them runs, never none and never both.

The new one is submitted first: if it is refused, the old one still waits. Then whoever has the old one's next attempt
(the file that its start must make) decides: if we make it, the old one's start would find that and do nothing, and it
is cancelled; if it has started meanwhile, it stays and the new one is cancelled. A start that doesn't see the run
directory, as a pod's, is known by its scheduler, which is asked between the two.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..backends.base import Backend, NoAnswer
from ..follow.following import cancel, watcher_of
from ..model.exceptions import HPCError
from ..model.states import JobState
from ..rundir.run import Run
from ..rundir.store import store
from ..runtime import portal
from ..submission.resubmit import resubmit
from ..worker.claim import claimed
from .job import Job

_logger = logging.getLogger(__name__)


def replace_waiting(job: Job, **changes: Any) -> Run:
    """Submit a job that waits again, in its own place, and return the new run; cells that wait go on with that.

    Parameters
    ----------
    **changes
        As for `submission.resubmit.resubmit`.

    Raises
    ------
    HPCError
        If it doesn't wait (any more), or the new one can't be submitted: then it stays as it is.
    """
    old = Job(job.run.whole or job.run)
    status = old.status
    if status.state is not JobState.PENDING or not status.native_id:
        raise HPCError(
            f"{old.id} doesn't wait ({status.state.words}), so nothing was submitted in its place.",
            hint=f"`%hpc resubmit {old.id}` submits it once more.",
        )

    own = old.record

    def revise(_: Run, record: dict[str, Any]) -> None:
        record["replaces"] = old.id
        if "brings" in own:
            record["brings"] = own["brings"]

    new = resubmit(old.run, revise=revise, **changes)
    if not portal.call(_gives_way(old.run, new), 120):
        portal.call(cancel(new), 60)
        raise HPCError(
            f"{old.id} has left the queue meanwhile, so it stays, and {new.id}, which was submitted in its place, "
            "was cancelled.",
            hint=f"`%hpc attach {old.id}` watches it.",
        )
    return new


async def _gives_way(run: Run, new: Run) -> bool:
    """Take a job that waits out of the queue, for a new one; False if it has left the queue by itself."""
    record = run.record()
    native_id, watcher = str(record["native_id"]), await watcher_of(str(record["target"]["name"]))
    attempts = len(list(run.path.glob("attempt.*")))
    with suppress(NoAnswer):  # then the claim alone decides
        seen = (await watcher.backend.observe({run.id: native_id})).get(run.id)
        if seen is None or seen.state is not JobState.PENDING:
            return False
    if claimed(str(run.path), f"given up for {new.id}", attempts + 1):
        return False
    run.update(replaced_by=new.id)
    _tell(run, new)
    await _repoint(watcher.backend, native_id, new)
    try:
        await cancel(run)
    except HPCError as error:  # a start of it does nothing now
        _logger.warning("%s, in whose place %s was submitted, may still be in the queue: %s", run.id, new.id, error)
    return True


async def _repoint(backend: Backend, old: str, new: Run) -> None:
    """Let the jobs that wait for the old one wait for the new one, before the old one's end would end them."""
    to = str(new.record().get("native_id") or "")
    try:
        dependents = await backend.repoint(old, to)
    except HPCError as error:
        _logger.warning("whether jobs wait for %s, in whose place %s was submitted: %s", old, new.id, error)
        return
    for native_id, why in dependents.items():
        if not why:
            _note_new(native_id, str(new.record()["target"]["name"]), old, to)
    if refused := {native_id: why for native_id, why in dependents.items() if why}:
        new.update(stale=_left_behind(refused, old, to))


def _note_new(native_id: str, target: str, old: str, new: str) -> None:
    """Keep in a dependent's record for what it waits, so that it is submitted again as it is."""
    with suppress(HPCError):  # one that was submitted without us
        run = store().find(native_id)
        record = run.record()
        written = str(record["spec"].get("dependency") or "")
        if record["target"]["name"] == target and written:
            run.update(spec={**record["spec"], "dependency": re.sub(rf"\b{re.escape(old)}\b", new, written)})


def _left_behind(refused: Mapping[str, str], old: str, new: str) -> list[str]:
    return [
        f"job {native_id} waits for {old}, whose place this took, and could not be made to wait for {new}: {why}. "
        f"It will not start: `%hpc resubmit {native_id} --dependency {new}` submits it again."
        for native_id, why in refused.items()
    ]


def _tell(run: Run, new: Run) -> None:
    """Tell the cells that wait for a run with which one to go on."""
    for mark in run.waits():
        with suppress(OSError), open(mark, "r+", encoding="ascii") as file:  # one that is gone is not made again
            file.write(new.id)
