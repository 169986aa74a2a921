"""What this process knows of one live job, and the statuses that follow from it."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable
from typing import Any

from .backends.base import Observation
from .jobs import Job, JobState, Status
from .postmortem import Verdict, judge
from .reader import RunReader

SILENCE_S = 1.25  # a heartbeat older than this makes us ask; the worker beats twice a second
LONGEST_SILENCE_S = 8.0
LINGER_S = 8.0  # how long a result may take to show up on a network file system after the job ended
SAVING_S = 1.2  # how long a worker that was told to end may take to begin to save what it has
SETTLE_S = 1.6  # how long the scheduler may take to say why a job ended


class Follower:
    """Follows one live job by its files and by what the scheduler said last.

    Attributes
    ----------
    ended : Future of Status
        Done when the job is final.
    listeners : list of callable
        Called without arguments, from the portal's thread, when anything changed.
    """

    def __init__(self, job: Job, record: dict[str, Any]) -> None:
        self.job = job
        self.reader = RunReader(job.run, outputs=False)
        self.native_id: str = str(record.get("native_id") or "")
        self.ended: concurrent.futures.Future[Status] = concurrent.futures.Future()
        self.status = Status(
            JobState.PENDING if self.native_id else JobState.SUBMITTING, native_id=self.native_id
        )
        self.observation: Observation | None = None
        self.changed = time.monotonic()
        self.listeners: list[Callable[[], None]] = []
        self.questions = 0  # asked about this job since it became odd
        self.odd_since = 0.0
        self._requeued_at: float | None = None  # the start of the attempt that the scheduler took back
        self._over_since: float | None = None
        self._killed_since: float | None = None
        self._beat = (0, time.monotonic())
        self._size = 0
        self._patience = SILENCE_S

    # -- its files -------------------------------------------------------------------------------

    def poll(self) -> bool:
        """Read what is new; return True if anything is."""
        self.reader.poll()
        changed = self.reader.beat != self._beat[0] or self.reader.size != self._size
        if self.reader.beat != self._beat[0]:
            self._learn_gap()
            self._beat = (self.reader.beat, time.monotonic())
        self._size = self.reader.size
        if not self.is_odd:
            self.odd_since = 0.0
        elif not self.odd_since:
            self.odd_since = time.monotonic()
        return changed

    def observe(self, seen: Observation) -> None:
        """Take what the scheduler said, and read the files that it may have been ahead of."""
        started = self.reader.started
        if started is not None and seen.state is JobState.PENDING:
            self._requeued_at = started["t"]
        self.observation = seen
        self.poll()

    @property
    def is_requeued(self) -> bool:
        """The scheduler took it back after it had run: what its files say is of the attempt before."""
        started = self.reader.started
        return started is not None and started["t"] == self._requeued_at

    def _learn_gap(self) -> None:
        """A cell that holds the interpreter, or a slow file system, must not make us ask again and again."""
        gap = time.monotonic() - self._beat[1]
        if self._beat[0] and gap > self._patience:
            self._patience = min(gap * 1.5, LONGEST_SILENCE_S)

    @property
    def is_silent(self) -> bool:
        """The worker started, and its heartbeat stopped."""
        return self.reader.started is not None and time.monotonic() - self._beat[1] > self._patience

    @property
    def is_quiet_life(self) -> bool:
        """It runs and beats: its own files say all there is to know."""
        return self.reader.started is not None and not self.is_odd and not self.is_requeued

    @property
    def is_odd(self) -> bool:
        """The files say that something happened which the scheduler may explain."""
        reader, seen = self.reader, self.observation
        if self.is_requeued or (seen is not None and seen.state is not None and seen.state.is_final):
            return False
        if reader.end is not None or reader.signals or self._over_since is not None:
            return True
        return self.is_silent or "slurmstepd" in reader.scheduler_text()[-2000:]

    # -- how it stands ---------------------------------------------------------------------------

    def verdict(self, *, settled: bool = False) -> Verdict | None:
        """Return how the job ended, or None while it goes on or more may come to light.

        Parameters
        ----------
        settled : bool
            Its files have not changed for long: there is nothing to wait for.
        """
        if self.is_requeued:
            return None
        now = time.monotonic()
        seen, has_end = self.observation, self.reader.end is not None
        is_gone = seen is not None and (seen.state is None or seen.state.is_final)
        if not has_end and not is_gone:
            self._over_since = None
        elif self._over_since is None:
            self._over_since = now
        over = now - self._over_since if self._over_since is not None else 0.0
        if settled and self._over_since is not None:
            over = 2 * LINGER_S
        found = judge(self.reader, seen, is_lost=over > LINGER_S)
        if found is None:
            self._killed_since = None
            return None
        if found.needs_scheduler and not is_gone and over < SETTLE_S:
            return None
        waits = not settled and self._may_save(found, is_gone or has_end, now)
        return None if waits else found

    def _may_save(self, found: Verdict, is_gone: bool, now: float) -> bool:
        """The scheduler asked the worker to end, and it may still bring what it has."""
        reader = self.reader
        if not found.leaves_time or reader.has_result or reader.started is None or is_gone:
            return False
        self._killed_since = self._killed_since or now
        is_saving = (reader.run.path / "result.tmp").exists() and not self.is_silent
        return is_saving or now - self._killed_since < SAVING_S

    def set_status(self, status: Status) -> None:
        if status != self.status:
            self.status = status
            self.changed = time.monotonic()

    def say(self, reason: str) -> None:
        """Show a reason without a change of state."""
        old = self.status
        self.set_status(Status(old.state, reason, old.node, old.native_id, old.started_at))
        self.notify()

    def notify(self) -> None:
        for listener in list(self.listeners):
            listener()


def live_status(follower: Follower) -> Status:
    reader, seen = follower.reader, follower.observation
    node = str(reader.started["node"]) if reader.started else (seen.node if seen else "")
    if reader.started is not None and not follower.is_requeued:
        return Status(JobState.RUNNING, "", node, follower.native_id, float(reader.started["t"]))
    if not follower.native_id:
        return Status(JobState.SUBMITTING)
    if seen is not None and seen.state is not None and not seen.state.is_final:
        return Status(seen.state, seen.reason, node, follower.native_id, seen.started_at)
    return Status(JobState.PENDING, follower.status.reason, node, follower.native_id)


def final_status(follower: Follower, verdict: Verdict) -> Status:
    reader, seen = follower.reader, follower.observation
    started = float(reader.started["t"]) if reader.started else (seen.started_at if seen else None)
    node = str(reader.started["node"]) if reader.started else (seen.node if seen else "")
    ended = float(reader.done["t"]) if reader.done else time.time()
    return Status(verdict.state, verdict.message, node, follower.native_id, started, ended)


def write_verdict(job: Job, status: Status, verdict: Verdict) -> None:
    """Record how a job ended; values of ``--env`` may be secrets and have done their work."""
    (job.run.path / "env").unlink(missing_ok=True)
    job.run.update(
        state=status.state.value,
        reason=status.reason,
        node=status.node,
        started_at=status.started_at,
        ended_at=status.ended_at,
        verdict=verdict.to_record(),
    )
