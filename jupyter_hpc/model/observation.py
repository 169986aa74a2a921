"""What a scheduler says of jobs and of what is free."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from .resources import format_time
from .states import JobState


@dataclass(frozen=True)
class Observation:
    """What the scheduler says of one job now.

    Attributes
    ----------
    state : JobState or None
        None if the scheduler doesn't know the job (any more).
    reason : str
        Why it waits or why it ended, in words.
    native_state : str
        The scheduler's own word, shown as it is when we don't know it.
    is_settled : bool
        False where a slower source, the scheduler's archive, may soon know more: of an unknown job, or by whom one
        was cancelled.
    native_id : str
        The job's id if the scheduler knows the run under another one, or none was known.
    cause : str
        Name of the row of the table of causes (``docs/causes.md``) that holds, where the scheduler knows more than
        the state says.
    evidence : str
        What shows that, in a line, in the scheduler's own words.
    hint : str
        What to do about a job that waits.
    """

    state: JobState | None
    reason: str = ""
    native_state: str = ""
    node: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    signal: int | None = None
    expected_start: float | None = None  # of a pending job, if the scheduler has an estimate
    native_id: str = ""
    is_settled: bool = True
    cause: str = ""
    evidence: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Suggestion:
    """A change to a waiting request that would help.

    Attributes
    ----------
    options : str
        To copy into the magic's line: ``--gpus 1``.
    why : str
        What speaks for it.
    confirmed : bool
        The scheduler itself says that it would start now.
    expected_start : float or None
        The scheduler's estimate, where that is later.
    """

    options: str
    why: str
    confirmed: bool
    expected_start: float | None = None


@dataclass(frozen=True)
class Waiting:
    """Why a job waits.

    Attributes
    ----------
    reason : str
        In words; empty if the scheduler gives none.
    native_reason : str
        The scheduler's own words.
    place, ahead, of : int or None
        Its place among those that wait for the same nodes, how many are before it, and how many wait.
    expected_start : float or None
        The scheduler's estimate, in seconds since the epoch.
    suggestions : tuple of Suggestion
        What would start now, or sooner.
    hint : str
        What to type, where something must be done.
    """

    reason: str
    native_reason: str = ""
    place: int | None = None
    ahead: int | None = None
    expected_start: float | None = None
    suggestions: tuple[Suggestion, ...] = ()
    hint: str = ""
    of: int | None = None

    def to_record(self) -> dict[str, Any]:
        """Return what a run's record keeps of it."""
        record = asdict(self)
        del record["native_reason"]
        return {**record, "suggestions": [asdict(each) for each in self.suggestions]}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Waiting:
        """The inverse of :meth:`to_record`; what a record says besides is left out."""
        names = {field.name for field in fields(cls)}
        found = {name: value for name, value in record.items() if name in names}
        return cls(**{**found, "suggestions": tuple(Suggestion(**each) for each in found.get("suggestions") or ())})


def waiting_words(reason: str, expected_start: float | None, now: float) -> str:
    """Return why a job waits, and until when, in one line.

    Parameters
    ----------
    reason : str
        In words, as :attr:`Observation.reason` has it; may be empty.
    expected_start : float or None
        The scheduler's estimate, in seconds since the epoch.
    now : float
        The same for now.
    """
    parts = [reason, f"expected start {start_words(expected_start, now)}" if expected_start else ""]
    return "; ".join(part for part in parts if part)


def start_words(start: float, now: float) -> str:
    """Return a moment as people say it: ``in 2 h 10 min (14:30)``, ``now``."""
    wait = start - now
    if wait < 60:
        return "now" if wait > -60 else "any moment"
    try:
        there, here = time.localtime(start), time.localtime(now)
    except (OverflowError, ValueError, OSError):
        return "unknown"
    form = "%H:%M" if there[:3] == here[:3] else "%a %d %b %H:%M"
    return f"in {format_time(wait // 60 * 60)} ({time.strftime(form, there)})"


@dataclass(frozen=True)
class Availability:
    """What a target has, and what of it is free now.

    Attributes
    ----------
    message : str
        One line that says what is there.
    partitions : sequence of mapping
        Rows for people, a partition or a node each, with the same keys; may be empty.
    gpus : sequence of mapping
        ``type`` (may be empty), ``free`` and ``total``.
    """

    message: str
    partitions: Sequence[Mapping[str, str]] = ()
    gpus: Sequence[Mapping[str, str | int]] = ()


@dataclass(frozen=True)
class ForeignJob:
    """A job that the scheduler lists for this user and that this package may not have submitted.

    Attributes
    ----------
    native_id : str
        As the scheduler has it.
    seen : Observation
        How it stands.
    run_id : str
        The run whose mark it carries; empty if it carries none.
    log : Path or None
        Where its output goes, where that is a file.
    ends_with : str
        The command that ends it, for people.
    array : str
        The scheduler's id of the array that it is a task of; empty if it is none.
    acts : tuple of str
        What its user may do with it as it stands: of ``cancel``, ``hold``, ``release``, ``requeue``. Empty where nobody
        knows whose it is.
    """

    native_id: str
    seen: Observation
    name: str = ""
    run_id: str = ""
    submitted_at: float | None = None
    time_limit_s: float | None = None
    gpus: int = 0
    gpu_type: str = ""
    log: Path | None = None
    ends_with: str = ""
    array: str = ""
    acts: tuple[str, ...] = ()
