"""Why a job's end may not be concluded yet: more may come to light."""

from __future__ import annotations

from ..explain.verdict import Verdict
from ..rundir.reader import RunReader
from ..runtime.clock import Clock
from .answers import Answers
from .pulse import Pulse

LINGER_S = 8.0  # how long a result may take to show up on a network file system after the job ended
RECOVERY_S = 30.0  # the same, after a scheduler came back from an outage
SAVING_S = 1.2  # how long a worker that was told to end may take to begin to save what it has
ACCOUNTING_S = 6.0  # how long a scheduler's accounting may take to say why a job ended: it lags behind


class Doubt:
    """How long each sign of an end has been there, and what is still waited for.

    Parameters
    ----------
    settles_s : float
        How long the scheduler itself may take to say why a job ended.
    is_watched : bool
        Somebody asks again and again; else answers of some time apart are wanted.
    """

    def __init__(
        self, reader: RunReader, answers: Answers, pulse: Pulse, clock: Clock, *, settles_s: float, is_watched: bool
    ) -> None:
        self._reader = reader
        self._answers = answers
        self._pulse = pulse
        self._clock = clock
        self._settles_s = settles_s
        self._is_watched = is_watched
        self._recovered_at = -1e18
        self._over_since: float | None = None
        self._killed_since: float | None = None
        self._open_since: float | None = None  # the end is known, and the scheduler may say more of it

    @property
    def is_over(self) -> bool:
        """Files or scheduler said that the job is over."""
        return self._over_since is not None

    def recovered(self) -> None:
        """The scheduler answers again, and may not know everything yet."""
        self._recovered_at = self._clock.monotonic()
        self.begin_anew()

    def begin_anew(self) -> None:
        self._over_since = None

    def is_lost(self, *, settled: bool) -> bool:
        """Whether it is over for so long, and so surely, that a result would have shown up; looked at every time.

        Parameters
        ----------
        settled : bool
            Its files have not changed for long: there is nothing to wait for.
        """
        now = self._clock.monotonic()
        if self._reader.end is None and not self._answers.is_over:
            self._over_since = None
            return False
        if self._over_since is None:
            self._over_since = now
        linger_s = RECOVERY_S if now - self._recovered_at < 2 * RECOVERY_S else LINGER_S
        over = 2 * LINGER_S if settled else now - self._over_since
        return over > linger_s and self._answers.is_complete and self._is_sure

    def waits(self, found: Verdict | None) -> bool:
        """Whether something may still change or explain what was found, of a job whose files may still change."""
        if found is None:
            self._killed_since = self._open_since = None
            return False
        return (found.needs_scheduler and self._may_learn_more()) or self._may_save(found)

    def _may_learn_more(self) -> bool:
        """The scheduler may still say why."""
        now = self._clock.monotonic()
        self._open_since = self._open_since or now
        if self._answers.is_over and self._answers.is_complete:
            return False
        return now - self._open_since < (self._settles_s if self._answers.is_complete else ACCOUNTING_S)

    @property
    def _is_sure(self) -> bool:
        """One answer without the job is enough after a cancel; else it takes two, some time apart."""
        unknown = self._answers.unknown
        if not self._answers.is_unknown or self._reader.run.was_cancelled:
            return True
        apart_s = 0.0 if self._is_watched else LINGER_S  # a watcher waits that long by itself
        return len(unknown) > 1 and unknown[-1] - unknown[0] >= apart_s

    def _may_save(self, found: Verdict) -> bool:
        """The scheduler asked the worker to end, and it may still bring what it has."""
        reader = self._reader
        is_gone = self._answers.is_over or reader.end is not None
        if not found.leaves_time or reader.has_result or reader.started is None or is_gone:
            return False
        now = self._clock.monotonic()
        self._killed_since = self._killed_since or now
        is_saving = (reader.run.path / "result.tmp").exists() and not self._pulse.is_silent
        return is_saving or now - self._killed_since < SAVING_S
