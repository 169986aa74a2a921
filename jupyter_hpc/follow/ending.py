"""Write down how a job ended."""

from __future__ import annotations

import logging
from typing import Any

from ..backends.build import LINK
from ..explain.verdict import Verdict
from ..lineage.record import end
from ..model.states import JobState, Status
from ..rundir.leftovers import left_in, removed
from ..rundir.reader import RunReader
from ..rundir.run import Run
from ..rundir.unwritten import remove
from ..worker.signing import KEY
from .follower import Follower
from .trouble import poor_verdict

_SECRETS = ("env", "prologue", "request.json", KEY)  # values of --env, a site's own lines, what a pod is told


def remove_secrets(run: Run) -> None:
    """Remove what a run's batch script and worker were given that nobody else should read: they have ended."""
    for name in _SECRETS:
        remove(run.path / name)


def write_verdict(follower: Follower, status: Status, verdict: Verdict) -> None:
    """Record how a job ended."""
    run = follower.run
    remove_secrets(run)
    if status.state is not JobState.LOST and (run.path / "result.tmp").exists():  # its worker is gone
        removed([run.path / "result.tmp"])
    removed(left_in(run.path))
    known = run.record()
    known["environment"] = {**known.get("environment", {}), **_environment(follower.reader)}
    fields: dict[str, Any] = {
        "environment": known["environment"],
        "state": status.state.value,
        "reason": status.reason,
        "node": status.node,
        "started_at": status.started_at,
        "ended_at": status.ended_at,
        "verdict": verdict.to_record(),
        "attempts": follower.attempts(ended=status.ended_at, how=status.state.value, reason=status.reason),
    }
    run.conclude(**{**fields, **_lineage(follower.reader, known), **follower.incidents.close()})


def end_poorly(follower: Follower, error: BaseException) -> Status | None:
    """Conclude a job at which a look fails, from what little can be read, and return how; None if it may go on."""
    verdict = poor_verdict(follower.reader, follower.answers, error)
    if verdict is None:
        return None
    status = Status(verdict.state, verdict.message, native_id=follower.native_id, ended_at=follower.clock.time())
    follower.run.conclude(
        state=status.state.value, reason=status.reason, ended_at=status.ended_at, verdict=verdict.to_record()
    )
    return status


def _lineage(reader: RunReader, record: dict[str, Any]) -> dict[str, Any]:
    """Return what else the record says of the end; nothing in it may keep the verdict from being written."""
    try:
        return end.ended(reader, record)
    except Exception as error:  # files that a dying worker or another program left
        logging.getLogger(__name__).warning("the end of %s is not fully recorded: %r", reader.run.id, error)
        return {}


def _environment(reader: RunReader) -> dict[str, Any]:
    """Return what the worker said of its own environment; where it said nothing it ran in the kernel's."""
    found: dict[str, Any] = {}
    if reader.started is not None:
        found["executable"] = reader.started.get("executable")
        found["drift"] = (reader.environment or {}).get("drift", [])
    if ((reader.run.whole or reader.run).path / LINK).is_symlink():
        found["installed"] = (reader.environment or {}).get("packages", {})
    if reader.built is not None:
        found["built_seconds"] = reader.built.get("seconds")  # by this job; else it found it built
    return found
