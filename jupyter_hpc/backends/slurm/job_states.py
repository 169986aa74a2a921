"""What squeue and sacct print, and what it means."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from ...model.observation import Observation
from ...model.states import JobState
from .reasons import reason_text

_STATES = {
    "PENDING": JobState.PENDING,
    "CONFIGURING": JobState.PENDING,
    "REQUEUED": JobState.PENDING,
    "REQUEUE_HOLD": JobState.PENDING,
    "REQUEUE_FED": JobState.PENDING,
    "RESV_DEL_HOLD": JobState.PENDING,
    "SPECIAL_EXIT": JobState.PENDING,
    "RUNNING": JobState.RUNNING,
    "COMPLETING": JobState.RUNNING,
    "SUSPENDED": JobState.RUNNING,
    "STOPPED": JobState.RUNNING,
    "SIGNALING": JobState.RUNNING,
    "STAGE_OUT": JobState.RUNNING,
    "RESIZING": JobState.RUNNING,
    "COMPLETED": JobState.COMPLETED,
    "FAILED": JobState.FAILED,
    "CANCELLED": JobState.CANCELLED,
    "REVOKED": JobState.CANCELLED,
    "TIMEOUT": JobState.TIMEOUT,
    "DEADLINE": JobState.TIMEOUT,
    "OUT_OF_MEMORY": JobState.OUT_OF_MEMORY,
    "NODE_FAIL": JobState.NODE_FAIL,
    "BOOT_FAIL": JobState.NODE_FAIL,
    "LAUNCH_FAILED": JobState.NODE_FAIL,
    "PREEMPTED": JobState.PREEMPTED,
}

CAUSES = {"DEADLINE": "deadline", "BOOT_FAIL": "boot-failed"}  # where our state says less; rows of the table
LAUNCH_SIGNAL = 53  # written as 0:53 when slurmstepd could not open the job's files

FIELDS = (
    "JobID",
    "ArrayJobID",
    "ArrayTaskID",
    "State",
    "exit_code",
    "StartTime",
    "EndTime",
    "NodeList",
    "Reason",
    "Comment",
    # of jobs that we did not submit; see foreign.py
    "TimeLimit",
    "SubmitTime",
    "NumNodes",
    "tres-alloc",
    "tres-per-job",
    "tres-per-node",
    "STDOUT",
    "WorkDir",
    "Name",
)
OWN_FIELDS = 1 + FIELDS.index("Comment")
# what follows a comment, which may itself hold the delimiter: a limit, a time and a number can be told from it
MORE = re.compile(r"\|(?P<limit>[^|]*)\|(?P<submitted>\d{4}-[\d:T-]+|N/A)\|(?P<nodes>[\d-]+)\|(?P<rest>.*)")

OURS = "jupyter_hpc:"
_MARK = re.compile(rf"\b{OURS}([\w-]+)")
_LOG = re.compile(r"/runs/(\d{8}-\d{6}-[0-9a-f]{6})/(?:tasks/[^/|]+/)?scheduler\.log\|")


def squeue_format() -> str:
    """Return the ``-O`` argument: delimited, so that its shape is the same on all versions; free text last."""
    return ",".join(f"{name}:|" for name in FIELDS)


def parse_queue(text: str) -> dict[str, tuple[Observation, str]]:
    """Return native id → (observation, mark) from ``squeue -h -O`` output; odd lines are passed over."""
    found = {}
    for line in text.splitlines():
        row = queue_row(line)
        if row is not None:
            found[native_id(row)] = (observation(row), mark_in(row))
    return found


def mark_in(row: dict[str, str]) -> str:
    """Return the mark of the run that a job is of; of any other job its comment.

    A site may write its own comments into jobs: then the job's log tells, which is in the run directory.
    """
    found = _MARK.search(row["Comment"]) or _LOG.search(row["More"])
    return f"{OURS}{found[1]}" if found else row["Comment"]


def queue_row(line: str) -> dict[str, str] | None:
    """Return one line's fields up to the comment, and all that follows as ``More``; None if it is no row."""
    parts = [p.strip() for p in line.split("|", OWN_FIELDS - 1)]
    if len(parts) < OWN_FIELDS or not parts[0]:
        return None
    row = dict(zip(FIELDS, parts))
    more = MORE.search(row["Comment"])
    row["More"] = more[0] if more else ""
    row["Comment"] = row["Comment"].removesuffix(row["More"]).removesuffix("|")
    return row


def native_id(row: dict[str, str]) -> str:
    """Return a row's job, or task of an array, as commands take it."""
    return f"{row['ArrayJobID']}_{row['ArrayTaskID']}" if row["ArrayTaskID"].isdecimal() else row["JobID"]


def observation(row: dict[str, str]) -> Observation:
    native = row["State"]
    state = state_of(native)
    code, number = exit_code(row["exit_code"])
    running = state is not JobState.PENDING
    cause, evidence = _cause(native, number, row["Reason"], row["NodeList"])
    return Observation(
        state,
        reason=reason_text(row["Reason"], state),
        native_state=native,
        node=row["NodeList"] if running else "",
        started_at=time_stamp(row["StartTime"]) if running else None,
        ended_at=time_stamp(row["EndTime"]) if state.is_final else None,
        exit_code=code,
        signal=number,
        expected_start=None if running else time_stamp(row["StartTime"]),
        cause=cause,
        evidence=evidence,
    )


def _cause(native: str, number: int | None, reason: str, node: str) -> tuple[str, str]:
    """Return the row of the table of causes that Slurm's own words lead to, and what shows it; empty if none."""
    if number == LAUNCH_SIGNAL:
        return (
            "no-shared-disk",
            f"Slurm: {native} 0:{LAUNCH_SIGNAL}{f' ({reason})' if reason else ''} on {node}",
        )
    return CAUSES.get(native.partition(" ")[0].upper(), ""), ""


def state_of(word: str) -> JobState:
    """Return our state for Slurm's word; an unknown word is a job that goes on."""
    first = word.split(" ", maxsplit=1)[0].rstrip("+").upper()
    return _STATES.get(first, JobState.RUNNING)


def exit_code(text: str) -> tuple[int | None, int | None]:
    """Return (exit code, signal) of ``3:0``, or of the raw wait status that 22.05 prints."""
    match = re.fullmatch(r"([0-9]{1,10})(?::([0-9]{1,10}))?", text)
    if match is None:
        return None, None
    if match[2] is not None:
        return int(match[1]), int(match[2]) or None
    raw = int(match[1])
    return raw >> 8, (raw & 0x7F) or None


def time_stamp(text: str) -> float | None:
    """Return seconds since the epoch of Slurm's local time, or None for N/A and the like."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


SACCT_FIELDS = ("JobID", "State", "ExitCode", "Start", "End", "NodeList")


def parse_accounting(text: str) -> dict[str, Observation]:
    """Return native id → observation from ``sacct -X -n -P`` output."""
    found = {}
    for line in text.splitlines():
        parts = line.split("|")
        if len(parts) != len(SACCT_FIELDS):
            continue
        row = dict(zip(SACCT_FIELDS, parts))
        code, number = exit_code(row["ExitCode"])
        cause, evidence = _cause(row["State"], number, "", row["NodeList"])
        found[row["JobID"]] = Observation(
            state_of(row["State"]),
            reason=row["State"] if " by " in row["State"] else "",
            native_state=row["State"],
            node="" if row["NodeList"] == "None assigned" else row["NodeList"],
            started_at=time_stamp(row["Start"]),
            ended_at=time_stamp(row["End"]),
            exit_code=code,
            signal=number,
            cause=cause,
            evidence=evidence,
        )
    return found


def with_canceller(queued: Observation | None, accounted: Observation) -> Observation:
    """Return what sacct knows of a job; squeue knows sooner that it was cancelled, but not by whom."""
    if queued is None or " by " in accounted.reason:
        return accounted
    return replace(queued, is_settled=accounted.state is None and accounted.is_settled)
