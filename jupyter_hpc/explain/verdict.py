"""When a job has ended, and the verdict on it; why is looked up in the table of causes."""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from ..model.observation import Observation
from ..model.states import JobState
from ..rundir.reader import RunReader
from . import causes
from .cause import Cause
from .evidence import Facts
from .signs import LITTLE_SPACE, free_bytes

ASKED_S = 2.0  # after so long a disk is asked again whether it is full
_AGAIN = re.compile(r"DUE TO (?:JOB REQUEUE|PREEMPTION|NODE FAILURE)")  # it may run again


@dataclass(frozen=True)
class Verdict:
    """How a job ended.

    Attributes
    ----------
    cause : str
        Name of the row of the table of causes; empty if all went well.
    again : str or None
        The options to submit it again with, as in ``--mem 6G``; empty: as it was; None: that would be no use.
    error : str
        Name of the class in ``exceptions``; empty if the result itself says (its value or its exception).
    message, hint : str
        The sentence and what to do.
    needs_scheduler : bool
        The scheduler may know more: it is worth one question before this is final.
    leaves_time : bool
        The worker was asked to end, and may still save the names it has.
    evidence : tuple of str
        What the cause is known by, a line each.
    """

    state: JobState
    error: str = ""
    message: str = ""
    hint: str = ""
    needs_scheduler: bool = False
    leaves_time: bool = False
    exit_code: int | None = None
    signal: int | None = None
    evidence: tuple[str, ...] = ()
    cause: str = ""
    again: str | None = None

    def to_record(self) -> dict[str, Any]:
        record = asdict(self)
        del record["needs_scheduler"], record["leaves_time"]
        return {**record, "state": self.state.value, "evidence": list(self.evidence)}


def judge(reader: RunReader, seen: Observation | None, *, is_lost: bool = False) -> Verdict | None:
    """Return the verdict, or None while the job goes on.

    Parameters
    ----------
    seen : Observation or None
        The scheduler's latest answer; its ``state`` is None if it doesn't know the job.
    is_lost : bool
        The scheduler has not known the job for long enough that a result would have shown up.
    """
    facts = Facts(reader, seen, is_lost=is_lost)
    if not facts.has_signs or (not is_lost and _may_run_again(facts)):
        return None
    if facts.has_result and not facts.raised and not facts.is_damaged:
        return Verdict(JobState.COMPLETED)
    found = causes.find(facts, only_told=not _is_over(facts))
    return None if found is None else _verdict(facts, *found)


def why_it_waits(reader: RunReader, seen: Observation) -> str:
    """Return in words what the table of causes knows of a job that waits, again or for ever; else nothing."""
    return causes.why_it_waits(Facts(reader, seen))


def waits_for_room(reader: RunReader) -> str:
    """Return in words what a running job waits for where its disk is full; else nothing."""
    if reader.waits is not None:
        return f"the cell has ended, and its result waits for room: {reader.waits['message']}"
    moment = int(time.monotonic() // ASKED_S)
    if _is_full(str(reader.run.path.parent), moment):  # then the worker may have had no room to say so
        return f"the disk of {reader.run.path} is full, and what the job writes waits for room"
    return ""


@lru_cache(maxsize=64)
def _is_full(folder: str, _: int) -> bool:
    """Whether a disk is full, asked once in a while for all jobs there: on NFS it is a question to the server."""
    return free_bytes(folder) < LITTLE_SPACE


def _may_run_again(facts: Facts) -> bool:
    """Slurm ended this attempt, and has not said that the job is over."""
    if facts.state is not None and facts.state.is_final:
        return False
    if not _AGAIN.search(facts.said):
        return False
    return not _is_complete(facts)


def is_complete(reader: RunReader) -> bool:
    """Whether there is a result of a cell that came to its end: then no further attempt changes anything."""
    return _is_complete(Facts(reader, None))


def _is_complete(facts: Facts) -> bool:
    return facts.has_result and facts.raised.get("kind") not in ("signal", "unsaved")


def _is_over(facts: Facts) -> bool:
    """Nothing more will come from the worker."""
    reader = facts.reader
    if facts.has_result or reader.mismatch is not None or facts.is_lost:
        return True
    if facts.end is not None:
        return reader.done is None  # else: a network file system shows the result a little later
    return facts.state is not None and facts.state.is_final and facts.state is not JobState.COMPLETED


def _waited(facts: Facts) -> tuple[str, ...]:
    """What else a user should know of a job that ended before its result had room."""
    waits = facts.reader.waits
    if waits is None or (facts.has_result and facts.raised.get("kind") != "unsaved"):
        return ()
    return (f"the cell had ended, and its result waited for room: {waits['message']}",)


def _verdict(facts: Facts, cause: Cause, evidence: tuple[str, ...]) -> Verdict:
    died = cause.error in ("ProcessDied", "SegmentationFault")
    return Verdict(
        cause.state,
        "" if facts.is_cell_error else cause.error,
        cause.says(facts),
        facts.advice or cause.suggests(facts),
        needs_scheduler=cause.needs_scheduler,
        leaves_time=cause.leaves_time,
        exit_code=facts.code if died and facts.number is None else None,
        signal=facts.number if died else None,
        evidence=(*evidence, *_waited(facts)),
        cause=cause.name,
        again=None if facts.advice else cause.again(facts),
    )
