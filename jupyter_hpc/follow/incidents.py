"""What happened on the way that is nobody's fault: a scheduler that didn't answer, a job that was submitted again."""

from __future__ import annotations

import time
from typing import Any

from ..rundir.run import Run
from ..runtime.clock import Clock

MOST = 20  # the last ones are kept


def clock_words(moment: float) -> str:
    """Return a moment to the second: ``14:03:07``."""
    return time.strftime("%H:%M:%S", time.localtime(moment))


class Incidents:
    """A run's incidents, which its record has too, and the trouble that goes on now.

    Attributes
    ----------
    trouble : str
        What keeps us from knowing more, in words; empty while nothing does.
    """

    def __init__(self, run: Run, record: dict[str, Any], clock: Clock) -> None:
        self.trouble = ""
        self._run = run
        self._clock = clock
        self._all: list[dict[str, Any]] = list(record.get("incidents") or [])
        self._since = 0.0

    def say(self, trouble: str) -> bool:
        """Take the trouble of now (an empty text ends it); tell whether it is another one."""
        if trouble == self.trouble:
            return False
        self._since = self._since if self.trouble and trouble else self._clock.time()
        self.trouble = trouble
        return True

    def note(self, since: float, words: str) -> None:
        """Keep what happened; the record has it from now on."""
        incident = {"from": since, "until": self._clock.time(), "what": words}
        self._all = [*self._all, incident][-MOST:]
        if self._run.record_or_none() is not None:
            self._run.update(**self.fields)

    def close(self) -> dict[str, Any]:
        """Return the record's field, with the trouble that goes on as an incident."""
        if self.trouble:
            self.note(self._since, self.trouble)
            self.trouble = ""
        return self.fields if self._all else {}

    @property
    def fields(self) -> dict[str, Any]:
        return {"incidents": self._all}

    @property
    def lines(self) -> list[str]:
        """As evidence, a line each."""
        return [f"{clock_words(i['from'])} to {clock_words(i['until'])}: {i['what']}" for i in self._all]
