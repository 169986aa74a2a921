"""What this process knows of one live job, and the statuses that follow from it."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ..backends.registry import backend_of
from ..explain.attempts import attempts, taken_back
from ..explain.verdict import Verdict, is_complete, judge, waits_for_room, why_it_waits
from ..model.observation import Observation, waiting_words
from ..model.states import JobState, Status
from ..rundir.reader import RunReader
from ..rundir.run import Run
from ..rundir.series import Summary
from ..runtime.clock import CLOCK, Clock
from ..worker.events import EVENTS
from .answers import Answers
from .doubt import Doubt
from .incidents import Incidents
from .pulse import Pulse
from .trouble import Trouble

UNTOUCHED_S = 60.0
ODD_S = 0.25  # a scheduler needs a moment to know what the files already show; doubles with each question
ARCHIVE_S = 5.0  # its archive needs longer


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

    def __init__(self, run: Run, record: dict[str, Any], *, is_watched: bool = True, clock: Clock = CLOCK) -> None:
        self.run = run
        self.clock = clock
        self._backend = backend_of(record)
        self.reader = RunReader(run, outputs=False)
        self.native_id: str = str(record.get("native_id") or "")
        wanted = record.get("environment", {}).get("requirements") or {}
        self.building = f"building the environment ({wanted.get('packages', '?')} packages)"
        self.ended: concurrent.futures.Future[Status] = concurrent.futures.Future()
        self.status = Status(JobState.PENDING if self.native_id else JobState.SUBMITTING, native_id=self.native_id)
        self.changed = self.clock.monotonic()
        self.listeners: list[Callable[[], None]] = []
        self.questions = 0  # asked about this job since it became odd
        self.odd_since = 0.0
        self.may_restore = False  # a watcher may submit it again if the scheduler forgot it
        self.incidents = Incidents(run, record, clock)
        self.trouble = Trouble(f"run {run.id}", clock)
        self.answers = Answers(run, clock, is_watched=is_watched)
        self._pulse = Pulse(clock)
        settles_s = self._backend.settles_s
        self._doubt = Doubt(self.reader, self.answers, self._pulse, clock, settles_s=settles_s, is_watched=is_watched)
        self._limit_s: float | None = record.get("spec", {}).get("resources", {}).get("time")
        self._requeued_at: float | None = None  # the start of the attempt that the scheduler took back
        self._size = 0

    # -- its files -------------------------------------------------------------------------------

    def poll(self) -> bool:
        """Read what is new; return True if anything is."""
        self.reader.poll()
        changed = self._pulse.feel(self.reader.beat) or self.reader.size != self._size
        self._size = self.reader.size
        if not self.is_odd:
            self.odd_since = 0.0
        elif not self.odd_since:
            self.odd_since = self.clock.monotonic()
        return changed

    def observe(self, seen: Observation) -> None:
        """Take what the scheduler said, and read the files that it may have been ahead of."""
        started, is_pending = self.reader.started, seen.state is JobState.PENDING
        if started is not None and is_pending and self._requeued_at != started["t"] and not is_complete(self.reader):
            self._requeued_at = started["t"]
            self.run.update(attempts=self.attempts())
        if seen.state is not None and seen.state.is_final:
            self._requeued_at = None  # it ended while it waited to run again
        if seen.state is JobState.PENDING:
            seen = replace(seen, reason=why_it_waits(self.reader, seen) or seen.reason)
        self.answers.take(seen)
        if seen.native_id and seen.native_id != self.native_id:
            self.take_native_id(seen.native_id)
            self.answers.take(seen)
        self.poll()

    def take_native_id(self, native_id: str) -> None:
        """The run has another job than we knew: found by its mark, or submitted again."""
        self.native_id = native_id
        self.answers.begin_anew()
        self._doubt.begin_anew()
        self.run.update(native_id=native_id, state="SUBMITTING", **self.incidents.fields)

    def recovered(self, since: float, words: str) -> None:
        """The scheduler answers again, and may not know everything yet."""
        self.incidents.trouble = ""
        self._doubt.recovered()
        self.incidents.note(since, words)
        self.answers.unknown = []

    # -- its attempts ----------------------------------------------------------------------------

    @property
    def requeue_words(self) -> str:
        """Which attempt this is, and why the one before was taken back; empty for the first."""
        starts = self.reader.starts
        before = starts if self.is_requeued else starts[:-1]
        if not before:
            return ""
        return f"requeued: {taken_back(self.run, before[-1])[1]}; attempt {len(before) + 1}"

    @property
    def told(self) -> Summary:
        """The numbers that it told of itself so far."""
        return self.reader.series.summary()

    def attempts(self, **last: Any) -> list[dict[str, Any]]:
        return attempts(self.run, self.reader.starts, last, is_requeued=self.is_requeued)

    # -- what to ask -----------------------------------------------------------------------------

    @property
    def is_forgotten(self) -> bool:
        """The scheduler, asked twice, doesn't know a job that it took and, as files tell, never started or ended."""
        is_told = self._seems_forgotten and len(self.answers.unknown) > 1 and self.answers.is_complete
        return is_told and not self.run.was_cancelled

    @property
    def _seems_forgotten(self) -> bool:
        reader = self.reader
        return self.answers.is_unknown and not (reader.starts or reader.has_result or reader.end is not None)

    @property
    def patience_s(self) -> float:
        """How long to wait after a question before the next one about something odd."""
        if not self.answers.is_complete:
            return ARCHIVE_S if self.answers.is_unknown else 1.0
        return ODD_S * 2**self.questions if self.questions or not self.is_silent else 0.0

    def next_event_s(self) -> float | None:
        """Return the seconds until the scheduler may have news by its own plan: a start, a time limit."""
        seen = self.answers.latest
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
        stamps = [0.0]
        for path in (self.run.path, self.run.path / EVENTS, self.run.log):
            with suppress(OSError):
                stamps.append(path.stat().st_mtime)
        return self.clock.time() - max(stamps)

    @property
    def is_untouched(self) -> bool:
        """Whoever submitted it is gone, and no scheduler's archive is that far behind."""
        return self.untouched_s > UNTOUCHED_S

    def may_be_under_way(self, seen: Observation | None) -> bool:
        """Its submission may not be over: nobody knows it yet, by whatever id."""
        is_known = seen is not None and seen.state is not None
        return not (is_known or self.native_id or self.is_untouched)

    @property
    def is_silent(self) -> bool:
        """The worker started, and its heartbeat stopped."""
        return self.reader.started is not None and self._pulse.is_silent

    @property
    def is_quiet_life(self) -> bool:
        """It runs and beats: its own files say all there is to know."""
        return self.reader.started is not None and not self.is_odd and not self.is_requeued

    @property
    def is_odd(self) -> bool:
        """The files say that something happened which the scheduler may explain."""
        reader, seen = self.reader, self.answers.latest
        if seen is not None and seen.state is not None and seen.state.is_final:
            return not seen.is_settled
        if self.is_requeued:
            return False
        if reader.end is not None or reader.signals or self._doubt.is_over:
            return True
        return self.is_silent or self._backend.tells_trouble(reader.scheduler_text()[-2000:])

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
        found = judge(self.reader, self.answers.latest, is_lost=self._doubt.is_lost(settled=settled))
        if found is not None and found.state is JobState.LOST:
            if self.may_restore and self._seems_forgotten:
                return None
            found = replace(found, evidence=(*found.evidence, *self.answers.lines, *self.incidents.lines))
        waits = self._doubt.waits(found)
        return None if waits and not settled else found

    def set_status(self, status: Status) -> None:
        if status != self.status:
            self.status = status
            self.changed = self.clock.monotonic()

    def say(self, trouble: str) -> None:
        """Show what keeps us from knowing more, until it is over (an empty text)."""
        if self.incidents.say(trouble):
            self.set_status(live_status(self))
            self.notify()

    def notify(self) -> None:
        for listener in list(self.listeners):
            listener()


def live_status(follower: Follower) -> Status:
    reader, seen = follower.reader, follower.answers.latest
    node = _node(reader, seen)
    words, native_id = follower.requeue_words, follower.native_id
    if reader.started is not None and not follower.is_requeued:
        reason = _joined(words, waits_for_room(reader), "; ".join(reader.drift()), follower.incidents.trouble)
        return Status(JobState.RUNNING, reason, node, native_id, float(reader.started["t"]))
    if reader.building is not None and not follower.is_requeued:
        return Status(JobState.RUNNING, follower.building, node, native_id, reader.building["t"])
    if not native_id:
        return Status(JobState.SUBMITTING, follower.incidents.trouble)
    if seen is not None and seen.state is not None and not seen.state.is_final:
        is_there = seen.state is JobState.RUNNING
        waiting = waiting_words(seen.reason, seen.expected_start, follower.clock.time())
        waiting = (waits_for_room(reader) if is_there else "") or waiting
        return Status(seen.state, _joined(words, waiting, follower.incidents.trouble), node, native_id, seen.started_at)
    return Status(JobState.PENDING, _joined(words, follower.incidents.trouble), node, native_id)


def _node(reader: RunReader, seen: Observation | None) -> str:
    """Return where it runs or ran: the worker knows, before it the scheduler."""
    if reader.started is not None:
        return str(reader.started.get("node") or "")
    return seen.node if seen else ""


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def final_status(follower: Follower, verdict: Verdict) -> Status:
    reader, seen = follower.reader, follower.answers.latest
    started = float(reader.started["t"]) if reader.started else (seen.started_at if seen else None)
    node = _node(reader, seen)
    ended = float(reader.done["t"]) if reader.done else follower.clock.time()
    return Status(verdict.state, verdict.message, node, follower.native_id, started, ended)
