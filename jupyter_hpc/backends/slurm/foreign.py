"""The user's jobs that we did not submit, from the answer of squeue that was asked for ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ...model.observation import ForeignJob
from .inventory import number, seconds
from .job_states import MORE, OURS, mark_in, native_id, observation, queue_row, time_stamp

_REST = re.compile(
    r"(?P<alloc>[^|]*)\|(?P<job>[^|]*)\|(?P<node>[^|]*)\|(?P<log>[^|]*)\|(?P<folder>/[^|]*)\|(?P<name>.*?)\|?"
)
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
    if more is None or rest is None:  # a path with the delimiter
        return ForeignJob(native, seen, run_id=ours, ends_with=f"scancel {native}")
    gpus, kind = _gpus(rest, number(more["nodes"]) or 1)
    return ForeignJob(
        native,
        seen,
        name=rest["name"],
        run_id=ours,
        submitted_at=time_stamp(more["submitted"]),
        time_limit_s=seconds(more["limit"]),
        gpus=gpus,
        gpu_type=kind,
        log=_log(row, rest),
        ends_with=f"scancel {native}",
    )


def _gpus(rest: re.Match[str], nodes: int) -> tuple[int, str]:
    """Return how many GPUs, and of which type if they are of one."""
    for key, factor in (("alloc", 1), ("job", 1), ("node", nodes)):
        found = [(m["type"] or "", int(m["count"]) * factor) for m in _GPU.finditer(rest[key])]
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
