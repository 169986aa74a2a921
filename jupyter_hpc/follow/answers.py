"""What the scheduler said of one job, and how often it didn't know it."""

from __future__ import annotations

from ..model.observation import Observation
from ..rundir.run import Run
from ..runtime.clock import Clock
from . import absence
from .incidents import clock_words


class Answers:
    """The scheduler's latest answer, and the ones without the job.

    Parameters
    ----------
    is_watched : bool
        A watcher asks until the job has ended; else somebody does, now and then, maybe once: then answers without the
        job are kept in the run's folder for the next process that asks.

    Attributes
    ----------
    latest : Observation or None
    unknown : list of float
        When it answered without the job, since it last knew it.
    """

    def __init__(self, run: Run, clock: Clock, *, is_watched: bool) -> None:
        self.latest: Observation | None = None
        self.unknown: list[float] = [] if is_watched else absence.answers(run)
        self._run = run
        self._clock = clock
        self._is_watched = is_watched
        self._known = ""

    def take(self, seen: Observation) -> None:
        self.latest = seen
        if seen.state is None:
            self.unknown.append(self._clock.time())
            if not self._is_watched and len(self.unknown) == 1:
                absence.note(self._run)
            return
        if self.unknown and not self._is_watched:
            absence.forget(self._run)
        self._known = f"{seen.native_state or seen.state} at {clock_words(self._clock.time())}"
        self.unknown = []

    def begin_anew(self) -> None:
        """It was about another job."""
        self.latest, self.unknown = None, []

    @property
    def is_complete(self) -> bool:
        """Every source was asked that may know the job."""
        return self.latest is None or self.latest.is_settled

    @property
    def is_unknown(self) -> bool:
        return self.latest is not None and self.latest.state is None

    @property
    def is_over(self) -> bool:
        """By the scheduler's word the job is gone or has ended."""
        return self.latest is not None and (self.latest.state is None or self.latest.state.is_final)

    @property
    def lines(self) -> list[str]:
        """As evidence, a line each."""
        lines = [f"the scheduler last knew it as {self._known}"] if self._known else []
        if self.unknown:
            times = f"{clock_words(self.unknown[0])} to {clock_words(self.unknown[-1])}"
            lines.append(f"unknown to it from {times}, asked {len(self.unknown)} times")
        if self.latest is not None and self.latest.reason:
            lines.append(self.latest.reason)
        return lines
