"""What this process knows of one live job, and the statuses that follow from it."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..explain.attempts import attempts, taken_back
from ..explain.verdict import Verdict, judge, why_it_waits
from ..model.observation import Observation, waiting_words
from ..model.states import JobState, Status
from ..rundir.reader import RunReader
from ..rundir.run import Run
from ..runtime.clock import CLOCK, Clock
from ..worker.events import EVENTS
from . import absence

SILENCE_S = 1.25  # a heartbeat older than this makes us ask; the worker beats twice a second
LONGEST_SILENCE_S = 8.0
LINGER_S = 8.0  # how long a result may take to show up on a network file system after the job ended
RECOVERY_S = 30.0  # the same, after a scheduler came back from an outage
UNTOUCHED_S = 60.0
ODD_S = 0.25  # a scheduler needs a moment to know what the files already show; doubles with each question
ARCHIVE_S = 5.0  # its archive needs longer
INCIDENTS = 20  # the last ones are kept
SAVING_S = 1.2  # how long a worker that was told to end may take to begin to save what it has
SETTLE_S = 1.6  # how long the scheduler may take to say why a job ended
ACCOUNTING_S = 6.0  # and how long its accounting may, which lags behind


class Follower:
    """Follows one live job by its files and by what the scheduler said last.

    Parameters
    ----------
    is_watched : bool
        A watcher asks until it has ended; else somebody does, now and then, maybe once.

    Attributes
    ----------
    ended : Future of Status
        Done when the job is final.
    listeners : list of callable
        Called without arguments, from the portal's thread, when anything changed.
    """

    def __init__(
        self, run: Run, record: dict[str, Any], *, is_watched: bool = True, clock: Clock = CLOCK
    ) -> None:
        self.run = run
        self.clock = clock
        self._is_watched = is_watched
        self.reader = RunReader(run, outputs=False)
        self.native_id: str = str(record.get("native_id") or "")
        wanted = record.get("environment", {}).get("requirements") or {}
        self.building = f"building the environment ({wanted.get('packages', '?')} packages)"
        self.ended: concurrent.futures.Future[Status] = concurrent.futures.Future()
        self.status = Status(
            JobState.PENDING if self.native_id else JobState.SUBMITTING, native_id=self.native_id
        )
        self.observation: Observation | None = None
        self.changed = self.clock.monotonic()
        self.listeners: list[Callable[[], None]] = []
        self.questions = 0  # asked about this job since it became odd
        self.odd_since = 0.0
        self.may_restore = False  # a watcher may submit it again if the scheduler forgot it
        self.trouble = ""  # what keeps us from knowing more, in words
        self.incidents: list[dict[str, Any]] = list(record.get("incidents") or [])
        self._trouble_since = 0.0
        self._limit_s: float | None = record.get("spec", {}).get("resources", {}).get("time")
        self._known = ""  # what the scheduler said while it knew the job
        self._unknown: list[float] = [] if is_watched else absence.answers(run)  # when it said it doesn't
        self._recovered_at = -1e18
        self._requeued_at: float | None = None  # the start of the attempt that the scheduler took back
        self._over_since: float | None = None
        self._killed_since: float | None = None
        self._open_since: float | None = None  # the end is known, and the scheduler may say more of it
        self._beat = (0, self.clock.monotonic())
        self._size = 0
        self._patience = SILENCE_S

    # -- its files -------------------------------------------------------------------------------

    def poll(self) -> bool:
        """Read what is new; return True if anything is."""
        self.reader.poll()
        changed = self.reader.beat != self._beat[0] or self.reader.size != self._size
        if self.reader.beat != self._beat[0]:
            self._learn_gap()
            self._beat = (self.reader.beat, self.clock.monotonic())
        self._size = self.reader.size
        if not self.is_odd:
            self.odd_since = 0.0
        elif not self.odd_since:
            self.odd_since = self.clock.monotonic()
        return changed

    def observe(self, seen: Observation) -> None:
        """Take what the scheduler said, and read the files that it may have been ahead of."""
        started = self.reader.started
        if started is not None and seen.state is JobState.PENDING and self._requeued_at != started["t"]:
            self._requeued_at = started["t"]
            self.run.update(attempts=self.attempts())
        if seen.state is not None and seen.state.is_final:
            self._requeued_at = None  # it ended while it waited to run again
        if seen.state is JobState.PENDING:
            seen = replace(seen, reason=why_it_waits(self.reader, seen) or seen.reason)
        if seen.state is None:
            self._unknown.append(self.clock.time())
            if not self._is_watched and len(self._unknown) == 1:
                absence.note(self.run)
        else:
            if self._unknown and not self._is_watched:
                absence.forget(self.run)
            now = _clock(self.clock.time())
            self._known, self._unknown = f"{seen.native_state or seen.state} at {now}", []
        if seen.native_id and seen.native_id != self.native_id:
            self.take_native_id(seen.native_id)
        self.observation = seen
        self.poll()

    def take_native_id(self, native_id: str) -> None:
        """The run has another job than we knew: found by its mark, or submitted again."""
        self.native_id = native_id
        self.observation, self._over_since, self._unknown = None, None, []
        self.run.update(native_id=native_id, state="SUBMITTING", incidents=self.incidents)

    def recovered(self, since: float, words: str) -> None:
        """The scheduler answers again, and may not know everything yet."""
        self.trouble = ""
        self._recovered_at = self.clock.monotonic()
        self.note(since, words)
        self._over_since, self._unknown = None, []

    def note(self, since: float, words: str) -> None:
        """Keep what happened on the way; the record has it from now on."""
        incident = {"from": since, "until": self.clock.time(), "what": words}
        self.incidents = [*self.incidents, incident][-INCIDENTS:]
        if self.run.record_or_none() is not None:
            self.run.update(incidents=self.incidents)

    def told(self) -> dict[str, Any]:
        """Return the record's field of incidents, with the one that goes on."""
        if self.trouble:
            self.note(self._trouble_since, self.trouble)
            self.trouble = ""
        return {"incidents": self.incidents} if self.incidents else {}

    # -- its attempts ----------------------------------------------------------------------------

    @property
    def requeue_words(self) -> str:
        """Which attempt this is, and why the one before was taken back; empty for the first."""
        starts = self.reader.starts
        before = starts if self.is_requeued else starts[:-1]
        if not before:
            return ""
        return f"requeued: {taken_back(self.run, before[-1])[1]}; attempt {len(before) + 1}"

    def attempts(self, **last: Any) -> list[dict[str, Any]]:
        return attempts(self.run, self.reader.starts, last, is_requeued=self.is_requeued)

    # -- what to ask -----------------------------------------------------------------------------

    @property
    def is_forgotten(self) -> bool:
        """The scheduler, asked twice, doesn't know a job that it took and, as files tell, never started or ended."""
        is_told = self._is_forgotten and len(self._unknown) > 1 and self._knows_all
        return is_told and not self.run.was_cancelled

    @property
    def _knows_all(self) -> bool:
        """Every source was asked."""
        return self.observation is None or self.observation.is_settled

    @property
    def _is_forgotten(self) -> bool:
        seen, reader = self.observation, self.reader
        is_unknown = seen is not None and seen.state is None
        return is_unknown and not (reader.starts or reader.has_result or reader.end is not None)

    @property
    def patience_s(self) -> float:
        """How long to wait after a question before the next one about something odd."""
        seen = self.observation
        if seen is not None and not seen.is_settled:
            return ARCHIVE_S if seen.state is None else 1.0
        return ODD_S * 2**self.questions if self.questions or not self.is_silent else 0.0

    def next_event_s(self) -> float | None:
        """Return the seconds until the scheduler may have news by its own plan: a start, a time limit."""
        seen = self.observation
        moments = [seen.expected_start if seen else None]
        started = self.reader.started["t"] if self.reader.started else seen.started_at if seen else None
        if started and self._limit_s:
            moments.append(started + self._limit_s)
        ahead = [m - self.clock.time() for m in moments if m]
        return min((s for s in ahead if s > 0), default=None)

    @property
    def is_requeued(self) -> bool:
        """The scheduler took it back after it had run: what its files say is of the attempt before."""
        started = self.reader.started
        return started is not None and started["t"] == self._requeued_at

    @property
    def untouched_s(self) -> float:
        """How long nothing changed in its directory."""
        run = self.run
        stamps = [p.stat().st_mtime for p in (run.path, run.path / EVENTS, run.log) if p.exists()]
        return self.clock.time() - max(stamps, default=0.0)

    @property
    def is_untouched(self) -> bool:
        """Whoever submitted it is gone, and no scheduler's archive is that far behind."""
        return self.untouched_s > UNTOUCHED_S

    def _learn_gap(self) -> None:
        """A cell that holds the interpreter, or a slow file system, must not make us ask again and again."""
        gap = self.clock.monotonic() - self._beat[1]
        if self._beat[0] and gap > self._patience:
            self._patience = min(gap * 1.5, LONGEST_SILENCE_S)

    @property
    def is_silent(self) -> bool:
        """The worker started, and its heartbeat stopped."""
        return self.reader.started is not None and self.clock.monotonic() - self._beat[1] > self._patience

    @property
    def is_quiet_life(self) -> bool:
        """It runs and beats: its own files say all there is to know."""
        return self.reader.started is not None and not self.is_odd and not self.is_requeued

    @property
    def is_odd(self) -> bool:
        """The files say that something happened which the scheduler may explain."""
        reader, seen = self.reader, self.observation
        if seen is not None and seen.state is not None and seen.state.is_final:
            return not seen.is_settled
        if self.is_requeued:
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
        now = self.clock.monotonic()
        seen, has_end = self.observation, self.reader.end is not None
        is_gone = seen is not None and (seen.state is None or seen.state.is_final)
        if not has_end and not is_gone:
            self._over_since = None
        elif self._over_since is None:
            self._over_since = now
        over = now - self._over_since if self._over_since is not None else 0.0
        if settled and self._over_since is not None:
            over = 2 * LINGER_S
        found = judge(self.reader, seen, is_lost=over > self._linger_s and self._knows_all and self._is_sure)
        if found is not None and found.state is JobState.LOST:
            if self.may_restore and self._is_forgotten:
                return None
            found = replace(found, evidence=(*found.evidence, *self._lost_evidence()))
        if found is None:
            self._killed_since = self._open_since = None
            return None
        if found.needs_scheduler and not settled and self._may_learn_more(is_gone, now):
            return None
        waits = not settled and self._may_save(found, is_gone or has_end, now)
        return None if waits else found

    def _may_learn_more(self, is_gone: bool, now: float) -> bool:
        """The scheduler may still say why."""
        self._open_since = self._open_since or now
        is_unsettled = self.observation is not None and not self.observation.is_settled
        if is_gone and not is_unsettled:
            return False
        return now - self._open_since < (ACCOUNTING_S if is_unsettled else SETTLE_S)

    @property
    def _is_sure(self) -> bool:
        """One answer without the job is enough after a cancel; else it takes two, some time apart."""
        if self.observation is None or self.observation.state is not None or self.run.was_cancelled:
            return True
        apart_s = 0.0 if self._is_watched else LINGER_S  # a watcher waits that long by itself
        return len(self._unknown) > 1 and self._unknown[-1] - self._unknown[0] >= apart_s

    @property
    def _linger_s(self) -> float:
        return RECOVERY_S if self.clock.monotonic() - self._recovered_at < 2 * RECOVERY_S else LINGER_S

    def _lost_evidence(self) -> list[str]:
        lines = [f"the scheduler last knew it as {self._known}"] if self._known else []
        if self._unknown:
            times = f"{_clock(self._unknown[0])} to {_clock(self._unknown[-1])}"
            lines.append(f"unknown to it from {times}, asked {len(self._unknown)} times")
        if self.observation is not None and self.observation.reason:
            lines.append(self.observation.reason)
        return [
            *lines,
            *(f"{_clock(i['from'])} to {_clock(i['until'])}: {i['what']}" for i in self.incidents),
        ]

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
            self.changed = self.clock.monotonic()

    def say(self, trouble: str) -> None:
        """Show what keeps us from knowing more, until it is over (an empty text)."""
        if trouble != self.trouble:
            self._trouble_since = self._trouble_since if self.trouble and trouble else self.clock.time()
            self.trouble = trouble
            self.set_status(live_status(self))
            self.notify()

    def notify(self) -> None:
        for listener in list(self.listeners):
            listener()


def live_status(follower: Follower) -> Status:
    reader, seen = follower.reader, follower.observation
    node = str(reader.started["node"]) if reader.started else (seen.node if seen else "")
    words, native_id = follower.requeue_words, follower.native_id
    if reader.started is not None and not follower.is_requeued:
        reason = _joined(words, "; ".join(reader.drift()), follower.trouble)
        return Status(JobState.RUNNING, reason, node, native_id, float(reader.started["t"]))
    if reader.building is not None and not follower.is_requeued:
        return Status(JobState.RUNNING, follower.building, node, native_id, reader.building["t"])
    if not native_id:
        return Status(JobState.SUBMITTING, follower.trouble)
    if seen is not None and seen.state is not None and not seen.state.is_final:
        waiting = waiting_words(seen.reason, seen.expected_start, follower.clock.time())
        return Status(seen.state, _joined(words, waiting, follower.trouble), node, native_id, seen.started_at)
    return Status(JobState.PENDING, _joined(words, follower.trouble), node, native_id)


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment))


def final_status(follower: Follower, verdict: Verdict) -> Status:
    reader, seen = follower.reader, follower.observation
    started = float(reader.started["t"]) if reader.started else (seen.started_at if seen else None)
    node = str(reader.started["node"]) if reader.started else (seen.node if seen else "")
    ended = float(reader.done["t"]) if reader.done else follower.clock.time()
    return Status(verdict.state, verdict.message, node, follower.native_id, started, ended)
