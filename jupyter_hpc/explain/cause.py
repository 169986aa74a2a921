"""What a row of the table of causes is made of: the cause itself, and what to submit the job again with."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.states import JobState
from .evidence import Facts
from .signs import Sign


@dataclass(frozen=True)
class Remedy:
    """What makes another try worth it.

    Attributes
    ----------
    words : str
        The advice, as a sentence; ``{options}`` is where the options stand in it.
    options : tuple of (str, str)
        Each option and its value, with ``{f.…}`` for words of the facts; none: as it was.
    """

    words: str
    options: tuple[tuple[str, str], ...] = ()

    def line(self, facts: Facts) -> str:
        """Return the options to submit it again with; empty: as it was."""
        return " ".join(f"{option} {value.format(f=facts)}" for option, value in self.options)

    def advice(self, facts: Facts) -> str:
        return self.words.format(options=self.line(facts))


MORE_MEMORY = Remedy("Ask for more, as in `{options}`.", (("--mem", "{f.more_memory}"),))
MORE_TIME = Remedy("Ask for more, as in `{options}`.", (("--time", "{f.more_time}"),))
AGAIN = Remedy("Run the cell again to submit it anew.")


@dataclass(frozen=True)
class Cause:
    """One row.

    Attributes
    ----------
    name : str
        Stable; ``verdict["cause"]`` in the record, ``error.cause``, and what a backend's observation may name.
    state : JobState
        How the job ends by it; PENDING if it doesn't: then the sentence says why it waits.
    error : str
        Class in ``exceptions``; empty where the cell's own exception is raised.
    sentence, hint : str
        With ``{f.…}`` for words of :class:`~jupyter_hpc.explain.evidence.Facts`, and, in the hint, ``{remedy}`` for
        the remedy's advice.
    remedy : Remedy or None
        What to submit it again with; None: that would be no use.
    is_told : bool
        The scheduler says it before the job's own end shows.
    leaves_time : bool
        The worker was asked to end, and may still save the names that it has.
    needs_scheduler : bool
        The scheduler may know better: worth one question.
    """

    name: str
    state: JobState
    error: str
    sign: Sign
    sentence: str
    hint: str = ""
    remedy: Remedy | None = None
    is_told: bool = False
    leaves_time: bool = False
    needs_scheduler: bool = False

    def says(self, facts: Facts) -> str:
        """Return what happened, as a sentence."""
        return self.sentence.format(f=facts)

    def suggests(self, facts: Facts) -> str:
        """Return what to do; empty if nothing helps."""
        advice = self.remedy.advice(facts) if self.remedy is not None else ""
        words = self.hint.format(f=facts, remedy=advice).split(" ")
        return " ".join(word for word in words if word)  # a part of it may be empty here

    def again(self, facts: Facts) -> str | None:
        """Return the options to submit it again with; empty: as it was; None: that would be no use."""
        return self.remedy.line(facts) if self.remedy is not None else None
