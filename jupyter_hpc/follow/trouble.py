"""A job that can't be looked at, whatever its files hold: said once, tried again ever more seldom, and ended."""

from __future__ import annotations

import logging

from ..explain.verdict import Verdict
from ..model.exceptions import JobError
from ..model.states import JobState
from ..rundir.reader import RunReader
from ..runtime import portal
from ..runtime.clock import Clock
from .answers import Answers

FIRST_S, LONGEST_S = 0.5, 60.0  # between a look that failed and the next
GIVEN_UP_S = 10.0  # a job that is over is concluded from what little can be read
_log = logging.getLogger(__name__)


class Trouble:
    """What keeps us from looking at something, since when, and when to try again.

    Parameters
    ----------
    what : str
        What is looked at, as the subject of a sentence.
    """

    def __init__(self, what: str, clock: Clock) -> None:
        self._what = what
        self._clock = clock
        self._words = ""
        self._pause_s = 0.0
        self._since: float | None = None
        self._next = 0.0

    def met(self, error: BaseException) -> None:
        """A look failed."""
        if portal.is_ending():
            return
        now = self._clock.monotonic()
        self._since = now if self._since is None else self._since
        self._pause_s = min(max(FIRST_S, 2 * self._pause_s), LONGEST_S)
        self._next = now + self._pause_s
        words = described(error)
        if words != self._words:
            _log.warning("%s can't be looked at: %s", self._what, words)
            _log.debug("how that came", exc_info=error)
        self._words = words

    def over(self) -> None:
        """A look went well."""
        self._since, self._pause_s, self._next = None, 0.0, 0.0

    @property
    def is_due(self) -> bool:
        """It may be looked at now."""
        return self._clock.monotonic() >= self._next

    @property
    def is_lasting(self) -> bool:
        """It goes on for so long that it will stay."""
        return self._since is not None and self._clock.monotonic() - self._since >= GIVEN_UP_S


def described(error: BaseException) -> str:
    """Return an error in one line."""
    words = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {words[:300]}" if words else type(error).__name__


def poor_verdict(reader: RunReader, answers: Answers, error: BaseException) -> Verdict | None:
    """Return the verdict on a job of which hardly anything can be understood; None if it may go on.

    The least is asked: whether a whole result is there, whether batch script or scheduler said that it is over.
    """
    manifest = reader.run.manifest()
    if manifest is not None and not manifest.get("error"):
        return Verdict(JobState.COMPLETED)
    if not (manifest or reader.end is not None or answers.is_over):
        return None
    said = answers.latest.state if answers.latest is not None else None
    is_told = said is not None and said.is_final and said is not JobState.COMPLETED
    return Verdict(
        said if said is not None and is_told else JobState.FAILED,
        JobError.__name__,
        f"It has ended, and its files can't be understood ({described(error)}).",
        f"What is left is in {reader.run.path}.",
    )
