"""What squeue and sacct print, and what it means."""

from __future__ import annotations

import re
from datetime import datetime

from ...jobs import JobState
from ..base import Observation

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

# the reasons that people meet most; others are shown in Slurm's own word
_REASONS = {
    "Priority": "jobs with a higher priority are before it",
    "Resources": "it is next, and waits for nodes to become free",
    "None": "",
    "Dependency": "it waits for another job to end",
    "DependencyNeverSatisfied": "the job it depends on failed, so it will never start",
    "JobArrayTaskLimit": "the array's own limit of tasks at once is reached",
    "BeginTime": "its begin time has not come (or it was requeued a moment ago)",
    "JobHeldUser": "it is held by its user: scontrol release",
    "JobHeldAdmin": "it is held by an administrator",
    "QOSMaxJobsPerUserLimit": "you run as many jobs as the QOS allows",
    "QOSMaxGRESPerUser": "you use as many gpus as the QOS allows",
    "AssocMaxJobsLimit": "your account runs as many jobs as it may",
    "AssocGrpGRES": "your account uses as many gpus as it may",
    "ReqNodeNotAvail": "a node that it needs is down, drained or reserved",
    "PartitionDown": "the partition is down",
    "PartitionInactive": "the partition is inactive",
    "PartitionTimeLimit": "it asks for more time than the partition allows",
    "PartitionNodeLimit": "it asks for more nodes than the partition has",
    "Licenses": "it waits for a licence",
    "Reservation": "it waits for its reservation",
    "NodeDown": "a node that it needs is down",
    "BadConstraints": "no node has what it asks for",
}

FIELDS = ("JobID", "State", "exit_code", "StartTime", "EndTime", "NodeList", "Reason", "Comment")


def squeue_format() -> str:
    """Return the ``-O`` argument: delimited, so that its shape is the same on all versions; free text last."""
    return ",".join(f"{name}:|" for name in FIELDS)


def parse_queue(text: str) -> dict[str, tuple[Observation, str]]:
    """Return native id → (observation, comment) from ``squeue -h -O`` output; odd lines are passed over."""
    found = {}
    for line in text.splitlines():
        parts = [p.strip() for p in line.split("|", len(FIELDS) - 1)]
        if len(parts) < len(FIELDS) or not parts[0]:
            continue
        row = dict(zip(FIELDS, parts))
        found[row["JobID"]] = (_observation(row), row["Comment"].removesuffix("|"))
    return found


def _observation(row: dict[str, str]) -> Observation:
    native = row["State"]
    state = state_of(native)
    code, number = exit_code(row["exit_code"])
    running = state is not JobState.PENDING
    return Observation(
        state,
        reason=reason_text(row["Reason"], state),
        native_state=native,
        node=row["NodeList"] if running else "",
        started_at=time_stamp(row["StartTime"]) if running else None,
        ended_at=time_stamp(row["EndTime"]) if state.is_final else None,
        exit_code=code,
        signal=number,
    )


def state_of(word: str) -> JobState:
    """Return our state for Slurm's word; an unknown word is a job that goes on."""
    first = word.split(" ", maxsplit=1)[0].rstrip("+").upper()
    return _STATES.get(first, JobState.RUNNING)


def reason_text(reason: str, state: JobState) -> str:
    """Return the reason in words, with Slurm's own word beside it."""
    word = reason.strip("() ").partition(",")[0].partition("(")[0].strip()
    if not word or word == "None":
        return ""
    words = _REASONS.get(word, "")
    if state is JobState.PENDING:
        return f"{words} ({word})" if words else reason.strip()
    return "" if word in ("Priority", "Resources") else reason.strip()


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


SACCT_FIELDS = ("JobIDRaw", "State", "ExitCode", "Start", "End", "NodeList")


def parse_accounting(text: str) -> dict[str, Observation]:
    """Return native id → observation from ``sacct -X -n -P`` output."""
    found = {}
    for line in text.splitlines():
        parts = line.split("|")
        if len(parts) != len(SACCT_FIELDS):
            continue
        row = dict(zip(SACCT_FIELDS, parts))
        code, number = exit_code(row["ExitCode"])
        found[row["JobIDRaw"]] = Observation(
            state_of(row["State"]),
            reason=row["State"] if " by " in row["State"] else "",
            native_state=row["State"],
            node=row["NodeList"],
            started_at=time_stamp(row["Start"]),
            ended_at=time_stamp(row["End"]),
            exit_code=code,
            signal=number,
        )
    return found
