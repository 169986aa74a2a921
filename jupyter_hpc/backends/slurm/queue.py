"""The pending jobs of all users, as ``squeue`` lists them, and what ``sbatch --test-only`` answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .inventory import Partition, number, seconds
from .job_states import time_stamp
from .reasons import group_of

QUEUE_FIELDS = (
    *("JobID", "ArrayJobID", "Partition", "PriorityLong", "StartTime", "TimeLimit"),
    *("NumNodes", "NumCPUs", "Account", "QOS", "Reason"),
)
_ESTIMATE = re.compile(r"to start at (\S+) using (\d+) processors on nodes (\S+) in partition (\S+)")


@dataclass(frozen=True)
class Pending:
    """One pending job. ``limit`` and ``start`` are None where Slurm says nothing."""

    id: str
    array_id: str
    partitions: tuple[str, ...]
    priority: int
    reason: str
    start: float | None
    limit: int | None
    nodes: int
    cpus: int
    account: str
    qos: str

    @property
    def is_queued(self) -> bool:
        """Whether it competes for nodes: not held, and not waiting for another job or a time."""
        return self.priority > 0 and group_of(self.reason) in ("queue", "site", "unknown")


@dataclass(frozen=True)
class Estimate:
    """Where and when a job would start if it were submitted now, as Slurm sees it."""

    start: float
    nodes: str
    partition: str


def queue_format() -> str:
    """Return the ``-O`` argument of squeue; the free text last."""
    return ",".join(f"{name}:|" for name in QUEUE_FIELDS)


def parse_pending(text: str) -> list[Pending]:
    """Return the pending jobs from ``squeue -h -t PD -O``; odd lines are passed over."""
    found = []
    for line in text.splitlines():
        parts = [p.strip() for p in line.split("|", len(QUEUE_FIELDS) - 1)]
        if len(parts) < len(QUEUE_FIELDS) or not parts[0]:
            continue
        row = dict(zip(QUEUE_FIELDS, parts))
        found.append(
            Pending(
                row["JobID"],
                row["ArrayJobID"],
                tuple(p for p in row["Partition"].split(",") if p),
                number(row["PriorityLong"]) or 0,
                row["Reason"].removesuffix("|"),
                time_stamp(row["StartTime"]),
                seconds(row["TimeLimit"]),
                number(row["NumNodes"]) or 1,
                number(row["NumCPUs"]) or 1,
                row["Account"].replace("(null)", ""),
                row["QOS"].replace("(null)", ""),
            )
        )
    return found


def parse_estimate(text: str) -> Estimate | None:
    """Return what ``sbatch --test-only`` estimated; None if it refused, or said something else."""
    match = _ESTIMATE.search(text)
    start = time_stamp(match[1]) if match else None
    return Estimate(start, match[3], match[4]) if match and start is not None else None


def place_of(own: Pending, rows: Sequence[Pending]) -> tuple[int, int] | None:
    """Return the job's place among those that wait for the same partitions, and how many they are.

    None if it isn't in the line.
    """
    if not own.is_queued:
        return None
    line = [r for r in rows if r.is_queued and set(r.partitions) & set(own.partitions)]
    return 1 + sum(_is_before(r, own) for r in line), len(line)


def _is_before(one: Pending, other: Pending) -> bool:
    if one.priority != other.priority:
        return one.priority > other.priority
    return (number(one.id) or 0) < (number(other.id) or 0)


def lump(rows: Sequence[Pending], partition: Partition) -> float:
    """Return the seconds that ``--test-only`` adds to its estimate for the jobs that wait in a partition.

    It takes each of them as if it held all cpus of its nodes for its whole limit, one after the other. That is
    far from what backfill does, and counts the very job that the estimate is to replace.
    """
    cpus, nodes = max(partition.total_cpus, 1), max(partition.total_nodes, 1)
    waiting = [r for r in rows if r.priority > 0 and partition.name in r.partitions]
    work = [max(r.cpus, r.nodes * (cpus // nodes)) * (r.limit or partition.max_time or 0) for r in waiting]
    return sum(work) / cpus
