"""Why a job ended: from its result, the worker's events, the shell's last word and the scheduler's."""

from __future__ import annotations

import re
import signal
from dataclasses import asdict, dataclass
from typing import Any

from .backends.base import Observation
from .jobs import JobState
from .reader import RunReader
from .resources import format_size, format_time
from .store import read_json
from .worker.container import MANIFEST

_OOM = re.compile(r"oom-kill event|exceeded memory limit|oom_kill|Out Of Memory", re.IGNORECASE)
_TIME = re.compile(r"DUE TO TIME LIMIT")
_CANCELLED = re.compile(r"CANCELLED AT")
_PREEMPTED = re.compile(r"DUE TO PREEMPTION")
_NODE = re.compile(r"DUE TO NODE FAILURE|NODE_FAIL")
_AGAIN = re.compile(r"DUE TO (?:JOB REQUEUE|PREEMPTION|NODE FAILURE)")  # it may run again
_REFUSED = re.compile(r"^jupyter_hpc: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """How a job ended.

    Attributes
    ----------
    error : str
        Name of the class in ``exceptions``; empty if the result itself says (its value or its exception).
    message, hint : str
        The sentence and what to do.
    needs_scheduler : bool
        The scheduler may know more: it is worth one question before this is final.
    leaves_time : bool
        The worker was asked to end, and may still save the names it has.
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
    if not is_lost and _may_run_again(reader, seen):
        return None
    if reader.has_result:
        return _from_result(reader, seen)
    if reader.mismatch is not None:
        found = reader.mismatch
        return Verdict(
            JobState.FAILED, "EnvironmentMismatch", str(found.get("message")), str(found.get("hint"))
        )
    killed = _scheduler_kill(reader, seen)
    if killed is not None:
        return killed
    end = reader.end
    if end is not None and reader.done is not None and not is_lost:
        return None  # the result was written; a network file system shows it a little later
    if end is not None:
        return _from_exit(reader, end, seen)
    if seen is not None and seen.state is not None and seen.state.is_final:
        return _from_scheduler(seen, reader) if is_lost or seen.state is not JobState.COMPLETED else None
    if is_lost:
        return _lost(reader)
    return None


def _may_run_again(reader: RunReader, seen: Observation | None) -> bool:
    """Slurm ended this attempt, and has not said that the job is over."""
    if seen is not None and seen.state is not None and seen.state.is_final:
        return False
    if not _AGAIN.search(reader.scheduler_text()):
        return False
    error = (read_json(reader.run.result / MANIFEST) or {"error": {"kind": "signal"}}).get("error")
    return error is not None and error.get("kind") == "signal"


def _from_result(reader: RunReader, seen: Observation | None) -> Verdict:
    manifest = read_json(reader.run.result / MANIFEST) or {}
    error = manifest.get("error")
    if error is None:
        return Verdict(JobState.COMPLETED)
    if error.get("kind") == "signal":
        killed = _scheduler_kill(reader, seen) or _from_final(seen, reader)
        if killed is not None:
            return killed
        number = int(error.get("signal") or signal.SIGTERM)
        asked = reader.run.record().get("cancel_asked_at")
        if asked:
            return _cancelled(reader, "")
        return _killed_by(number, reader, needs_scheduler=True)
    if error.get("kind") == "exit" and error.get("exit_code") in (0, None):
        return Verdict(JobState.COMPLETED, "CellExit", f"the cell called exit({error.get('exit_code')})")
    first = f"{error.get('type')}: {error.get('message')}".splitlines()[0][:200]
    return Verdict(JobState.FAILED, message=first)


def _scheduler_kill(reader: RunReader, seen: Observation | None) -> Verdict | None:
    """Return what the scheduler's own log or state says of a kill, if anything."""
    said = reader.scheduler_text()
    if seen is not None and seen.state in (JobState.OUT_OF_MEMORY, JobState.TIMEOUT, JobState.NODE_FAIL):
        return _from_scheduler(seen, reader)
    if _OOM.search(said):
        return _out_of_memory(reader, _lines(said, _OOM))
    if _TIME.search(said) or (reader.run.path / "time-limit").exists():
        return _time_limit(reader, _lines(said, _TIME))
    if _PREEMPTED.search(said):
        return Verdict(
            JobState.PREEMPTED,
            "JobCancelled",
            "A job with a higher priority took its place.",
            "Submit it again.",
        )
    if _NODE.search(said):
        return Verdict(
            JobState.NODE_FAIL,
            "NodeFailed",
            "The node failed.",
            "Submit it again.",
            evidence=_lines(said, _NODE),
        )
    if _CANCELLED.search(said):
        if seen is not None and seen.state is JobState.PENDING:
            return None  # requeued
        return _cancelled(reader, seen.reason if seen else "", _lines(said, _CANCELLED))
    return None


def _from_exit(reader: RunReader, end: dict[str, Any], seen: Observation | None) -> Verdict:
    code = int(end.get("exit", 1))
    refused = _REFUSED.search(reader.scheduler_text())
    if refused and reader.started is None:
        hint = (
            "The node needs to see the same files: set JUPYTER_HPC_ROOT to a folder on a shared disk."
            if code == 3
            else ""
        )
        return Verdict(
            JobState.FAILED,
            "EnvironmentMismatch",
            f"The node could not start the worker: {refused[1]}.",
            hint,
        )
    if reader.run.record().get("cancel_asked_at") and code > 128:
        return _cancelled(reader, "")
    final = _from_final(seen, reader)
    if final is not None:
        return final
    if code > 128:
        return _killed_by(code - 128, reader, needs_scheduler=True)
    if reader.started is None:
        last = (reader.scheduler_text().strip().splitlines() or ["no word"])[-1]
        return Verdict(
            JobState.FAILED,
            "EnvironmentMismatch",
            f"The worker did not start: {last}",
            "Is that Python right? --python names another.",
        )
    return Verdict(
        JobState.FAILED,
        "ProcessDied",
        f"The cell's process ended itself with exit code {code}, before its result was saved.",
        "os._exit() and the like leave no result; raise an exception instead.",
        exit_code=code,
    )


def _from_final(seen: Observation | None, reader: RunReader) -> Verdict | None:
    """Return the scheduler's verdict if it is one that an exit code can't tell."""
    if seen is not None and seen.state in (JobState.CANCELLED, JobState.PREEMPTED, JobState.NODE_FAIL):
        return _from_scheduler(seen, reader)
    return None


def _killed_by(number: int, reader: RunReader, *, needs_scheduler: bool) -> Verdict:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    if number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGABRT, signal.SIGFPE):
        what = "a segmentation fault" if number == signal.SIGSEGV else name
        return Verdict(
            JobState.FAILED, "SegmentationFault", f"The cell's process crashed in compiled code ({what}).",
            "The log ends with the Python frames at the crash. A library mismatch is the usual cause.", signal=number,
        )  # fmt: skip
    peak = _peak(reader)
    hint = "Somebody killed it, or the node ran out of memory (the kernel kills with this signal)."
    if number == signal.SIGKILL:
        used = f"It last used {format_size(peak)}; ask" if peak else "Ask"
        hint += f" {used} for more with --mem if memory may be the cause."
    return Verdict(
        JobState.FAILED,
        "ProcessDied",
        f"The cell's process was killed by {name}.",
        hint,
        needs_scheduler,
        signal=number,
    )


def _from_scheduler(seen: Observation, reader: RunReader) -> Verdict:
    state = seen.state
    if state is JobState.TIMEOUT:
        return _time_limit(reader, ())
    if state is JobState.OUT_OF_MEMORY:
        return _out_of_memory(reader, ())
    if state is JobState.CANCELLED:
        return _cancelled(reader, seen.reason)
    if state is JobState.NODE_FAIL:
        return Verdict(JobState.NODE_FAIL, "NodeFailed", f"The node {seen.node} failed.", "Submit it again.")
    if state is JobState.PREEMPTED:
        return Verdict(
            JobState.PREEMPTED,
            "JobCancelled",
            "A job with a higher priority took its place.",
            "Submit it again.",
        )
    if seen.signal and reader.run.record().get("cancel_asked_at"):
        return _cancelled(reader, "")
    if seen.signal:
        return _killed_by(seen.signal, reader, needs_scheduler=False)
    if state is JobState.COMPLETED:
        return _lost(reader)
    last = (reader.scheduler_text().strip().splitlines() or [seen.reason or "no word"])[-1]
    how = f" with exit code {seen.exit_code}" if seen.exit_code is not None else ""
    return Verdict(
        JobState.FAILED, "ProcessDied", f"The job failed{how}: {last}", "`%hpc logs` has the rest.",
        exit_code=seen.exit_code,
    )  # fmt: skip


def _time_limit(reader: RunReader, evidence: tuple[str, ...]) -> Verdict:
    limit = reader.run.record().get("spec", {}).get("resources", {}).get("time")
    words = f"its time limit of {format_time(limit)}" if limit else "the partition's time limit"
    hint = f"Ask for more, as in `--time {_more_time(limit)}`." if limit else "Ask for more with --time."
    return Verdict(
        JobState.TIMEOUT,
        "TimeLimitExceeded",
        f"The job reached {words}.",
        hint,
        leaves_time=True,
        evidence=evidence,
    )


def _more_time(limit: float) -> str:
    minutes = max(2, round(limit * 2 / 60))
    return f"{minutes}m" if minutes < 120 else f"{round(minutes / 60)}h"


def _out_of_memory(reader: RunReader, evidence: tuple[str, ...]) -> Verdict:
    asked = reader.run.record().get("spec", {}).get("resources", {}).get("memory")
    peak = _peak(reader)
    limit = f" of {format_size(asked)}" if asked else ""
    used = f"; it last used {format_size(peak)}" if peak else ""
    want = max(asked or 0, peak or 0, 512 << 20) * 2
    hint = f"Ask for more, as in `--mem {max(1, round(want / (1 << 30)))}G`."
    return Verdict(
        JobState.OUT_OF_MEMORY,
        "OutOfMemory",
        f"The job exceeded its memory limit{limit}{used}.",
        hint,
        evidence=evidence,
    )


def _peak(reader: RunReader) -> int:
    return int(reader.sample.get("rss") or 0) if reader.sample else 0


def _cancelled(reader: RunReader, reason: str, evidence: tuple[str, ...] = ()) -> Verdict:
    by = f" ({reason})" if reason else ""
    when = "" if reader.started else " before it started"
    return Verdict(
        JobState.CANCELLED,
        "JobCancelled",
        f"The job was cancelled{when}{by}.",
        "Run the cell again to submit it anew.",
        leaves_time=True,
        evidence=evidence,
    )


def _lost(reader: RunReader) -> Verdict:
    seen = "it had started" if reader.started else "it never started"
    said = reader.scheduler_text().strip().splitlines()[-3:]
    return Verdict(
        JobState.LOST, "JobLost", f"The scheduler no longer knows the job, and it left no result ({seen}).",
        f"What is left is in {reader.run.path}.", evidence=tuple(said),
    )  # fmt: skip


def _lines(text: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if pattern.search(line))[-3:]
