"""The user's jobs that we did not submit, from the answer of squeue that was asked for ours; and what can be done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ...model.exceptions import HPCError
from ...model.observation import ForeignJob, Observation
from ...model.states import JobState
from .command import SlurmCommand
from .inventory import number, seconds
from .job_states import MORE, OURS, mark_in, native_id, observation, queue_row, time_stamp

_REST = re.compile(
    r"(?P<alloc>[^|]*)\|(?P<job>[^|]*)\|(?P<node>[^|]*)\|(?P<log>[^|]*)\|(?P<folder>/[^|]*)\|(?P<name>.*?)\|?"
)
_ID = re.compile(r"[0-9]{1,12}(?:[_+][0-9]{1,9})?")
# `hold` by an operator would be one that only operators lift
_COMMANDS = {
    "cancel": ("scancel",),
    "hold": ("scontrol", "uhold"),
    "release": ("scontrol", "release"),
    "requeue": ("scontrol", "requeue"),
}
_HELD = ("JobHeldUser", "JobHeldAdmin")
_HELD_STATES = ("REQUEUE_HOLD", "SPECIAL_EXIT")
_PATTERN = re.compile(r"%(\d{0,9})(.?)")  # in names of logs
_GPU = re.compile(r"(?:gres/|gres:|\b)gpu(?:[:/](?P<type>[A-Za-z][\w.-]*))?[=:](?P<count>\d+)")


def parse_foreign(text: str) -> list[ForeignJob]:
    """Return all jobs of an answer, ours too: those carry the mark of their run."""
    rows = (queue_row(line) for line in text.splitlines())
    return [_job(row) for row in rows if row is not None]


def _job(row: dict[str, str]) -> ForeignJob:
    more = MORE.fullmatch(row["More"])
    rest = _REST.fullmatch(more["rest"]) if more else None
    native, seen = native_id(row), observation(row)
    mark = mark_in(row)
    ours = mark.removeprefix(OURS) if mark.startswith(OURS) else ""
    array = row["ArrayJobID"] if row["ArrayTaskID"].isdecimal() else ""
    known = ForeignJob(native, seen, run_id=ours, ends_with=f"scancel {native}", array=array, acts=_acts(row, seen))
    if more is None or rest is None:  # a path with the delimiter
        return known
    gpus, kind = gpus_of_job(rest.groupdict(), number(more["nodes"]) or 1)
    return replace(
        known,
        name=rest["name"],
        submitted_at=time_stamp(more["submitted"]),
        time_limit_s=seconds(more["limit"]),
        gpus=gpus,
        gpu_type=kind,
        log=_log(row, rest),
    )


def _acts(row: Mapping[str, str], seen: Observation) -> tuple[str, ...]:
    """Return what its user may do with a job as it stands."""
    if seen.state is JobState.RUNNING:
        return ("cancel", "requeue")
    if seen.state is not JobState.PENDING:
        return ()
    if row["Reason"] == "JobHeldAdmin":  # its user can't release it
        return ("cancel",)
    return ("cancel", "release" if row["Reason"] in _HELD or row["State"] in _HELD_STATES else "hold")


async def act(command: SlurmCommand, native_id: str, what: str) -> None:
    """Cancel, hold, release or requeue a job, or all tasks of an array, if it is this user's.

    Raises
    ------
    HPCError
        If it isn't, or Slurm refuses.
    """
    if not _ID.fullmatch(native_id) or what not in _COMMANDS:
        raise HPCError(f"{native_id[:80]!r} is no job of Slurm's.")
    mine = await command.run(["squeue", "-h", "--me", "-j", native_id, "-o", "%A"], is_act=True)
    if mine.status != 0 or not mine.out.strip():
        raise HPCError(f"Slurm lists no job {native_id} of yours now.", hint="It may have ended meanwhile.")
    done = await command.run([*_COMMANDS[what], native_id], is_act=True)
    if done.status != 0:
        words = re.sub(r"^(?:scancel|scontrol|slurm_\w+): (?:error: )?", "", done.last_line)
        raise HPCError(f"Slurm did not {what} {native_id}: {words.rstrip('.')}.")


def gpus_of_job(said: Mapping[str, str], nodes: int) -> tuple[int, str]:
    """Return how many GPUs, and of which type if they are of one.

    Parameters
    ----------
    said : mapping
        squeue's ``tres-alloc``, which has them where the site tracks them, ``tres-per-job`` and ``tres-per-node``, as
        ``alloc``, ``job`` and ``node``.
    """
    for key, factor in (("alloc", 1), ("job", 1), ("node", nodes)):
        found = [(m["type"] or "", int(m["count"]) * factor) for m in _GPU.finditer(said[key])]
        kinds = sorted({kind for kind, _ in found if kind})
        if found:  # an allocation counts each typed one a second time without its type
            return max(count for _, count in found), kinds[0] if len(kinds) == 1 else ""
    return 0, ""


def _log(row: Mapping[str, str], rest: re.Match[str]) -> Path | None:
    written = rest["log"]
    task = row["ArrayTaskID"] if row["ArrayTaskID"].isdecimal() else ""
    if not written or written == "(null)":
        return None
    if task and Path(written).name == f"slurm-{row['JobID']}.out":  # what squeue takes for an array's default
        written = str(Path(written).with_name("slurm-%A_%a.out"))
    values = {
        "%": "%",
        "j": row["JobID"],
        "A": row["ArrayJobID"] if task else row["JobID"],
        "a": task,
        "x": rest["name"],
    }
    if not {kind for _, kind in _PATTERN.findall(written)} <= set(values):  # a node's name, say
        return None
    expanded = _PATTERN.sub(lambda m: values[m[2]].zfill(min(int(m[1] or 0), 10)), written)
    return Path(rest["folder"], expanded)
