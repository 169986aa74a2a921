"""What a request comes to on Slurm's nodes: cpus, memory and gpus, for each node and in all."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...model.resources import Resources
from ...model.spec import JobSpec
from .inventory import Inventory, Node, Partition

# options of sbatch's own that change where a job may run or what it needs: then sbatch alone can judge
_DECIDES = re.compile(
    r"--(partition|clusters?|time|time-min|nodes|ntasks.*|cpus.*|mem.*|gpus.*|gres.*|constraint|prefer|nodelist"
    r"|nodefile|exclude|qos|account|reservation|exclusive|oversubscribe|overcommit|array|cores.*|sockets.*|threads.*"
    r"|extra-node-info|hint|mincpus|tmp|licenses|dependency|begin|core-spec|batch|ntasks)(=.*)?"
    r"|-[pMtNncGCFwxqABLOS].*"
)
_WAITS = re.compile(r"--(array|dependency|begin)(=.*)?")


def is_decided_elsewhere(spec: JobSpec) -> bool:
    """Whether options after ``--`` and in ``#SBATCH`` lines change what the request comes to."""
    return any(_DECIDES.fullmatch(word) and not _WAITS.fullmatch(word) for word in spec.passthrough)


@dataclass(frozen=True)
class Demand:
    """What a job needs. ``memory`` is MiB on each node; None leaves it to the partition's default."""

    nodes: int | None
    cpus: int  # in all
    cpus_per_task: int
    memory: int | None
    gpus: int  # in all
    gpu_type: str | None
    features: tuple[str, ...]
    exclusive: bool

    @classmethod
    def of(cls, resources: Resources, constraint: str | None) -> Demand:
        tasks = resources.tasks or (resources.tasks_per_node or 1) * (resources.nodes or 1)
        cpus_per_task = resources.cpus or 1
        gpus = resources.gpus if resources.gpus is not None else (resources.gpus_per_task or 0) * tasks
        memory = math.ceil(resources.memory / 1024**2) if resources.memory else None
        return cls(
            resources.nodes,
            tasks * cpus_per_task,
            cpus_per_task,
            memory,
            gpus,
            resources.gpu_type,
            plain_features(constraint),
            resources.exclusive,
        )


def plain_features(constraint: str | None) -> tuple[str, ...]:
    """Return the features that every node must have; an expression with more than ``&`` is sbatch's to judge."""
    if not constraint or not re.fullmatch(r"[\w.&-]+", constraint):
        return ()
    return tuple(f for f in constraint.split("&") if f)


def gpus_on(gpus: Mapping[str, int], kind: str | None) -> int:
    """Return how many gpus of a type there are; of all types together if none is asked for."""
    return sum(gpus.values()) if kind is None else gpus.get(kind, 0)


def memory_needed(demand: Demand, cpus: int, node: Node, partition: Partition, site: Inventory) -> int:
    """Return MiB that a job with ``cpus`` on this node takes there; without ``--mem`` the default, often all."""
    if "memory" not in site.config.get("SelectTypeParameters", "").lower():
        return 0
    if demand.memory is not None:
        return demand.memory
    per_cpu = partition.default_memory_per_cpu or _config_number(site, "DefMemPerCPU")
    if per_cpu:
        return per_cpu * cpus
    return _config_number(site, "DefMemPerNode") or node.memory


def _config_number(site: Inventory, key: str) -> int:
    text = site.config.get(key, "")
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def free_nodes(demand: Demand, nodes: Iterable[Node], partition: Partition, site: Inventory) -> list[Node] | None:
    """Return nodes on which the job could start now, if there are enough; it is spread evenly over them."""
    count = demand.nodes or 1
    cpus, gpus = math.ceil(demand.cpus / count), math.ceil(demand.gpus / count)
    found = []
    for node in nodes:
        if partition.name not in node.partitions or not node.is_usable:
            continue
        fits = (
            node.free_cpus >= cpus
            and (not demand.exclusive or node.is_empty)
            and gpus_on(node.free_gpus, demand.gpu_type) >= gpus
            and node.free_memory >= memory_needed(demand, cpus, node, partition, site)
            and set(demand.features) <= set(node.features)
        )
        if fits:
            found.append(node)
    return (
        sorted(found, key=lambda n: (sum(n.free_gpus.values()), n.free_cpus))[:count] if len(found) >= count else None
    )
