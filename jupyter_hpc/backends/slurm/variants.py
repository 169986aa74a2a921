"""What of a request could start now: smaller, shorter or elsewhere, computed from what is free."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...model.resources import format_time, slurm_time
from ...model.spec import JobSpec
from .demand import Demand, free_nodes
from .inventory import Inventory, Node, Partition
from .limits import usable_partitions, violation
from .queue import Pending
from .reasons import code_of, group_of

MOST = 3  # each is confirmed by a call of its own
SHORTEST_S = 120  # no backfill hole shorter than this is worth a suggestion
MARGIN_S = 60
_REQUEST_FIELDS = ("gpus", "gpu_type", "cpus", "memory", "time")


@dataclass(frozen=True)
class Variant:
    """Changes to a request (fields of ``Resources`` or ``JobSpec``), and why they would help."""

    changes: Mapping[str, Any]
    why: str
    starts_now: bool  # what it needs is free, and nobody stands before it, as far as we can see

    def options(self) -> str:
        """Return the options to type, as the magics take them."""
        return " ".join(f"{flag} {value}" for flag, value in self._pairs(_time_text))

    def sbatch(self) -> list[str]:
        """Return the same for sbatch, where a later option takes the place of an earlier one."""
        names = {"--cpus": "--cpus-per-task"}
        return [f"{names.get(flag, flag)}={value}" for flag, value in self._pairs(slurm_time)]

    def _pairs(self, time_text: Callable[[int], str]) -> Iterator[tuple[str, str]]:
        changes = self.changes
        if "gpus" in changes:
            kind = changes.get("gpu_type")
            yield "--gpus", f"{kind}:{changes['gpus']}" if kind else str(changes["gpus"])
        if "cpus" in changes:
            yield "--cpus", str(changes["cpus"])
        if "memory" in changes:
            yield "--mem", f"{changes['memory'] >> 20}M"
        if "time" in changes:
            yield "--time", time_text(changes["time"])
        for name in ("partition", "qos", "account"):
            if name in changes:
                yield f"--{name}", changes[name]

    def applied(self, spec: JobSpec) -> JobSpec:
        resources = {k: v for k, v in self.changes.items() if k in _REQUEST_FIELDS}
        others = {k: v for k, v in self.changes.items() if k not in _REQUEST_FIELDS}
        changed = dataclasses.replace(spec.resources, **resources)
        return dataclasses.replace(spec, resources=changed, **others)


def _time_text(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    if hours >= 24:
        return slurm_time(seconds)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes or not hours else "")


@dataclass(frozen=True)
class Situation:
    """A pending job, what it asked for, and what stands around it now."""

    site: Inventory
    nodes: Mapping[str, Node]
    spec: JobSpec
    own: Pending
    rows: Sequence[Pending]
    now: float

    @property
    def partition(self) -> Partition | None:
        return next((self.site.partitions[p] for p in self.own.partitions if p in self.site.partitions), None)

    @property
    def others(self) -> list[Pending]:
        return [r for r in self.rows if r is not self.own and r.is_queued]

    def free(self, partition: Partition, **changes: Any) -> list[Node] | None:
        """Return nodes on which the changed request fits now."""
        spec = Variant(changes, "", False).applied(self.spec)
        demand = Demand.of(spec.resources, spec.constraint)
        return free_nodes(demand, self.nodes.values(), partition, self.site)

    def hole(self, partition: Partition) -> float | None:
        """Return the seconds until a job that comes first is to start here; None if nobody waits for these nodes.

        A job without an expected start is not planned within the scheduler's window, so nothing can delay it;
        except the first in line, before the scheduler has looked at it.
        """
        shared = {p for n in self.nodes.values() if partition.name in n.partitions for p in n.partitions}
        waiting = [r for r in self.others if shared & set(r.partitions)]
        if not waiting:
            return None
        if "backfill" not in self.site.config.get("SchedulerType", "sched/backfill"):
            return 0.0
        starts = [r.start for r in waiting if r.start is not None]
        unplanned = [r for r in waiting if r.start is None and code_of(r.reason) in ("Resources", "None", "")]
        return 0.0 if unplanned else max(min(starts) - self.now, 0.0) if starts else None


def variants(situation: Situation) -> list[Variant]:
    """Return at most :data:`MOST` changes that would help, the smallest sacrifice first."""
    kind = group_of(situation.own.reason)
    if situation.partition is None and kind != "request":
        return []
    makers = {
        "queue": (_shorter, _other_type, _fewer_gpus, _other_partition, _fewer_cpus, _less_memory),
        "site": (_other_partition, _shorter, _other_type, _fewer_gpus, _fewer_cpus, _less_memory),
        "request": (_within_limits, _other_partition),
        "limit": (_other_qos, _other_account),
    }.get(kind, ())
    found: list[Variant] = []
    for make in makers:
        for variant in make(situation):
            allowed = violation(situation.site, variant.applied(situation.spec)) is None
            is_more = any(f.changes.items() <= variant.changes.items() for f in found)  # and helps no more
            if allowed and not is_more:
                found.append(variant)
    return found[:MOST]


def _timed(
    s: Situation, partition: Partition, changes: dict[str, Any], why: str, *, must_shorten: bool = False
) -> Iterator[Variant]:
    """The changes, with a time that ends before a job that comes first is to start."""
    hole = s.hole(partition)
    limit = changes.get("time") or s.own.limit
    if "partition" in changes and s.spec.resources.time is None:
        limit = partition.default_time or partition.max_time
    if hole is None or (limit is not None and limit <= hole):
        if not must_shorten:
            yield Variant(changes, why, starts_now=True)
        return
    minutes = int(hole - MARGIN_S) // 60 * 60
    if minutes >= SHORTEST_S:
        until = f"it would end before jobs that come first are to start, in {format_time(hole // 60 * 60)}"
        yield Variant({**changes, "time": minutes}, "; ".join(x for x in (why, until) if x), starts_now=True)


def _where(nodes: Sequence[Node]) -> str:
    names = ", ".join(n.name for n in nodes[:3])
    return names + (f" and {len(nodes) - 3} more" if len(nodes) > 3 else "")


def _shorter(s: Situation) -> Iterator[Variant]:
    partition = s.partition
    nodes = s.free(partition) if partition else None
    if partition and nodes:
        yield from _timed(s, partition, {}, f"what it needs is free on {_where(nodes)}", must_shorten=True)


def _other_type(s: Situation) -> Iterator[Variant]:
    partition, asked = s.partition, s.spec.resources
    if partition is None or not asked.gpus or not asked.gpu_type:
        return
    for kind in s.site.gpu_types(partition.name):
        changes = {"gpus": asked.gpus, "gpu_type": kind}
        nodes = s.free(partition, **changes) if kind != asked.gpu_type else None
        if nodes:
            yield from _timed(s, partition, changes, f"{asked.gpus} {kind} free on {_where(nodes)}")


def _fewer_gpus(s: Situation) -> Iterator[Variant]:
    partition, asked = s.partition, s.spec.resources
    for count in range((asked.gpus or 0) - 1, 0, -1):
        changes = {"gpus": count, "gpu_type": asked.gpu_type}
        nodes = s.free(partition, **changes) if partition else None
        if partition and nodes:
            name = f" {asked.gpu_type}" if asked.gpu_type else " gpus" if count > 1 else " gpu"
            yield from _timed(s, partition, changes, f"{count}{name} free on {_where(nodes)}")
            return


def _other_partition(s: Situation) -> Iterator[Variant]:
    for name in usable_partitions(s.site, s.spec):
        partition = s.site.partitions[name]
        if name in s.own.partitions:
            continue
        nodes = s.free(partition)
        if nodes:
            yield from _timed(s, partition, {"partition": name}, f"what it needs is free on {_where(nodes)}")
        elif group_of(s.own.reason) in ("request", "site"):
            yield Variant({"partition": name}, f"the partition {name} could hold it", starts_now=False)


def _fewer_cpus(s: Situation) -> Iterator[Variant]:
    partition = s.partition
    for count in range((s.spec.resources.cpus or 1) - 1, 0, -1):
        nodes = s.free(partition, cpus=count) if partition else None
        if partition and nodes:
            why = f"{count} cpu{'s' if count > 1 else ''} per task free on {_where(nodes)}"
            yield from _timed(s, partition, {"cpus": count}, why)
            return


def _less_memory(s: Situation) -> Iterator[Variant]:
    partition, asked = s.partition, s.spec.resources
    if partition is None or not asked.memory:
        return
    sizes = {n.free_memory << 20 for n in s.nodes.values() if partition.name in n.partitions and n.is_usable}
    for size in sorted((x for x in sizes if asked.memory // 4 <= x < asked.memory), reverse=True):
        nodes = s.free(partition, memory=size)
        if nodes:
            yield from _timed(s, partition, {"memory": size}, f"as much memory is free on {_where(nodes)}")
            return


def _within_limits(s: Situation) -> Iterator[Variant]:
    """A job that asks for more time than its partition allows."""
    partition = s.partition
    if partition and partition.max_time and code_of(s.own.reason) == "PartitionTimeLimit":
        limit = f"the partition {partition.name} allows {format_time(partition.max_time)}"
        changes: dict[str, Any] = {"time": partition.max_time}
        nodes = s.free(partition)
        timed = list(_timed(s, partition, changes, limit)) if nodes else []
        yield from timed or [Variant(changes, limit, starts_now=False)]


def _other_qos(s: Situation) -> Iterator[Variant]:
    partition = s.partition
    free = bool(partition and s.free(partition))
    usual = {a.default_qos for a in s.site.associations or ()}
    for name in sorted(s.site.qos_names(s.own.account or None), key=lambda name: name not in usual):
        if name != s.own.qos and partition and partition.takes(None, name):
            known = (s.site.qos or {}).get(name)
            unlimited = known is not None and not known.limits
            why = f"the QOS {name} has no such limit" if unlimited else f"you may use the QOS {name} too"
            yield Variant({"qos": name}, why, starts_now=free and unlimited and s.hole(partition) is None)


def _other_account(s: Situation) -> Iterator[Variant]:
    if not code_of(s.own.reason).startswith("Assoc"):
        return
    for name in s.site.accounts():
        if name != s.own.account and s.partition and s.partition.takes(name, None):
            yield Variant({"account": name}, f"you may charge the account {name} too", starts_now=False)
