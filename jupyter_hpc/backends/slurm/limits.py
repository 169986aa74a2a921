"""Requests that no queue could ever serve: refused before anything is built, with the limit and what is allowed.

Only limits that are known for certain count. What sbatch itself judges at once (names of partitions, accounts,
QOS, features) is left to it; ``refusals.py`` names the valid ones then.
"""

from __future__ import annotations

import grp
import os
from collections.abc import Sequence

from ...model.exceptions import OptionError
from ...model.resources import format_size, format_time, slurm_time
from ...model.spec import JobSpec
from .demand import Demand, gpus_on, is_decided_elsewhere
from .inventory import Inventory, Node, Partition, Qos, number


def is_checked(spec: JobSpec) -> bool:
    """Whether the request asks for anything that could be above a limit that we know."""
    asked = {k for k, v in spec.resources.to_json().items() if v} - {"exclusive"}
    return bool(asked or spec.partition) and not is_decided_elsewhere(spec)


def violation(site: Inventory, spec: JobSpec) -> OptionError | None:
    """Return why no queue could ever serve this request; None if one could, or nothing is known."""
    if not is_checked(spec):
        return None
    partitions = candidates(site, spec)
    problems = [_problem(site, spec, partition) for partition in partitions]
    if not problems or any(p is None for p in problems):
        return _qos_problem(site, spec)
    message, hint = next(p for p in problems if p is not None)
    others = [
        name
        for name in usable_partitions(site, spec)
        if name not in {p.name for p in partitions} and _problem(site, spec, site.partitions[name]) is None
    ]
    if others:
        hint += f" --partition {others[0]} would take it."
    return OptionError(message, hint=hint)


def candidates(site: Inventory, spec: JobSpec) -> list[Partition]:
    """Return the partitions that this request may go to; empty if that can't be told."""
    if spec.partition:
        names = spec.partition.split(",")
        return [site.partitions[n] for n in names] if all(n in site.partitions for n in names) else []
    plugins = ("JobSubmitPlugins", "CliFilterPlugins")
    if any(key in site.config for key in plugins):  # the site may send it anywhere
        return list(site.partitions.values())
    return [site.default_partition] if site.default_partition else []


def usable_partitions(site: Inventory, spec: JobSpec) -> list[str]:
    """Return the partitions that are up, that this user sees and that take the request's account and QOS."""
    groups = _own_groups()
    found = []
    for name in site.visible():
        partition = site.partitions[name]
        if partition.state != "UP" or not partition.takes(None, spec.qos):
            continue
        if _account_problem(site, spec, partition) is not None:
            continue
        if partition.groups and groups is not None and not groups & set(partition.groups):
            continue
        found.append(name)
    return found


def _own_groups() -> set[str] | None:
    """Return the user's groups; None for root, whom Slurm lets in everywhere."""
    if os.getuid() == 0:
        return None
    names = set()
    for gid in {os.getgid(), *os.getgroups()}:
        try:
            names.add(grp.getgrgid(gid).gr_name)
        except KeyError:
            continue
    return names


_Problem = tuple[str, str]


def _problem(site: Inventory, spec: JobSpec, partition: Partition) -> _Problem | None:
    return (
        _account_problem(site, spec, partition)
        or _time_problem(site, spec, partition)
        or _size_problem(site, spec, partition)
    )


def _account_problem(site: Inventory, spec: JobSpec, partition: Partition) -> _Problem | None:
    """A partition that takes none of the user's accounts lets a job wait for ever."""
    own = [spec.account] if spec.account else site.accounts()
    if os.getuid() == 0 or not own or any(partition.takes(account, None) for account in own):
        return None
    yours = f"your account{'s' if len(own) > 1 else ''} {', '.join(own)}"
    message = (
        f"The partition {partition.name} takes only the account {', '.join(partition.accounts)}, not {yours}."
        if partition.accounts
        else f"The partition {partition.name} doesn't take {yours}."
    )
    return message, "Choose another --partition or --account."


def _time_problem(site: Inventory, spec: JobSpec, partition: Partition) -> _Problem | None:
    time, limit = spec.resources.time, partition.max_time
    if time is None or limit is None or time <= (limit + 59) // 60 * 60:
        return None
    if _may_exceed(site, spec, "PartitionTimeLimit"):
        return None
    return (
        f"--time {format_time(time)} is above the limit of the partition {partition.name}, {format_time(limit)}.",
        f"Ask for at most --time {slurm_time(limit)}.",
    )


def _size_problem(site: Inventory, spec: JobSpec, partition: Partition) -> _Problem | None:
    demand = Demand.of(spec.resources, spec.constraint)
    shapes = [s for s in site.shapes if partition.name in s.partitions]
    shapes = [s for s in shapes if set(demand.features) <= set(s.features)] or shapes
    if not shapes:
        return None
    which = f"of the partition {partition.name}"
    limit = partition.max_nodes
    is_above = demand.nodes is not None and limit is not None and demand.nodes > limit
    if is_above and not _may_exceed(site, spec, "PartitionMaxNodes"):
        return f"--nodes {demand.nodes} is above the limit {which}, {limit}.", "Ask for fewer --nodes."
    if demand.nodes and demand.nodes > sum(s.count for s in shapes):
        have = sum(s.count for s in shapes)
        return (
            f"--nodes {demand.nodes} is more than the nodes {which}, {have}.",
            f"Ask for at most --nodes {have}.",
        )
    return (
        _memory_problem(demand, shapes, partition, which)
        or _cpu_problem(demand, shapes, partition, which)
        or _gpu_problem(demand, shapes, partition, which)
    )


def _memory_problem(demand: Demand, shapes: Sequence[Node], partition: Partition, which: str) -> _Problem | None:
    largest = max(s.memory for s in shapes)
    if partition.max_memory_per_node:
        largest = min(largest, partition.max_memory_per_node)
    if demand.memory is None or demand.memory <= largest:
        return None
    asked, have = format_size(demand.memory << 20), format_size(largest << 20)
    return (
        f"--mem {asked} is more than any node {which} has or allows, {have}.",
        f"Ask for at most --mem {largest}M on each node.",
    )


def _cpu_problem(demand: Demand, shapes: Sequence[Node], partition: Partition, which: str) -> _Problem | None:
    largest = max(s.cpus for s in shapes)
    if partition.max_cpus_per_node:
        largest = min(largest, partition.max_cpus_per_node)
    if demand.cpus_per_task > largest:
        return (
            f"--cpus {demand.cpus_per_task} is more than any node {which} has or allows, {largest}.",
            f"Ask for at most --cpus {largest}.",
        )
    have = _on_largest(demand, [(min(s.cpus, largest), s.count) for s in shapes])
    if demand.cpus <= have:
        return None
    where = f"on {demand.nodes} of its nodes" if demand.nodes else "on all its nodes"
    return (
        f"The tasks ask for {demand.cpus} cpus, and the partition {partition.name} has {have} {where}.",
        "Ask for fewer --tasks or --cpus.",
    )


def _gpu_problem(demand: Demand, shapes: Sequence[Node], partition: Partition, which: str) -> _Problem | None:
    have = _on_largest(demand, [(gpus_on(s.gpus, demand.gpu_type), s.count) for s in shapes])
    if demand.gpus <= have:
        return None
    kinds = sorted({k for s in shapes for k in s.gpus if k})
    counts = {k: max(s.gpus.get(k, 0) for s in shapes) for k in kinds}
    has = ", ".join(f"{k} ({n} on a node)" for k, n in counts.items())
    if demand.gpu_type and demand.gpu_type not in kinds and kinds:
        return (
            f"The nodes {which} have no gpus of the type {demand.gpu_type}.",
            f"They have {has}: --gpus {kinds[0]}:1.",
        )
    name = f"{demand.gpu_type} gpus" if demand.gpu_type else "gpus"
    where = f"on {demand.nodes} of its nodes" if demand.nodes else "in all"
    most = f"Ask for at most --gpus {demand.gpu_type + ':' if demand.gpu_type else ''}{have}." if have else ""
    return f"{demand.gpus} {name} are more than the partition {partition.name} has {where}, {have}.", most


def _on_largest(demand: Demand, amounts: Sequence[tuple[int, int]]) -> int:
    """Return what the largest nodes have together: as many of them as the request names, or all."""
    left, total = demand.nodes or sum(count for _, count in amounts), 0
    for amount, count in sorted(amounts, reverse=True):
        taken = min(count, left)
        total, left = total + amount * taken, left - taken
    return total


# -- limits of the QOS -----------------------------------------------------------------------------


def effective_qos(site: Inventory, spec: JobSpec) -> Qos | None:
    """Return the QOS that the job would have, if that is known."""
    if site.qos is None:
        return None
    if spec.qos:
        return site.qos.get(spec.qos)
    own = [a for a in site.associations or () if spec.account in (None, a.account)]
    names = {a.default_qos for a in own}
    return site.qos.get(names.pop()) if len(names) == 1 else None


def _may_exceed(site: Inventory, spec: JobSpec, flag: str) -> bool:
    """Whether a QOS could lift this limit of the partition; so also where that isn't known."""
    if not spec.qos and "AccountingStorageEnforce" not in site.config and site.qos is None:
        return False
    if not spec.qos and site.enforced == "none":
        return False
    found = effective_qos(site, spec)
    return found is None or flag in found.flags


def _qos_problem(site: Inventory, spec: JobSpec) -> OptionError | None:
    """Limits of the QOS for one job: above them it would wait for ever."""
    found = effective_qos(site, spec)
    if found is None or not {"limits", "safe"} & set(site.enforced.split(",")):
        return None
    which = f"the limit of the QOS {found.name} for one job"
    time = spec.resources.time
    if time is not None and found.max_wall is not None and time > (found.max_wall + 59) // 60 * 60:
        return OptionError(
            f"--time {format_time(time)} is above {which}, {format_time(found.max_wall)}.",
            hint=f"Ask for at most --time {slurm_time(found.max_wall)}, or choose another --qos.",
        )
    demand = Demand.of(spec.resources, spec.constraint)
    asked = {
        "cpu": demand.cpus,
        "gres/gpu": demand.gpus,
        "node": demand.nodes or 0,
    }  # memory is Slurm's to sum
    if demand.gpu_type:
        asked[f"gres/gpu:{demand.gpu_type}"] = demand.gpus
    for name, amount in asked.items():
        limit = number(found.max_tres.get(name, ""))
        if limit is not None and amount > limit:
            what = {"cpu": "cpus", "node": "nodes"}.get(name, "gpus")
            return OptionError(
                f"{amount} {what} are above {which}, {limit}.",
                hint=f"Ask for at most {limit}, or choose another --qos.",
            )
    return None
