"""What a Slurm has free now, by partition and by type of GPU, from one sinfo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...model.observation import Availability
from .inventory import Node


def available(nodes: Iterable[Node], message: str) -> Availability:
    """Return the free and total CPUs and GPUs of each partition, and the GPUs of all, by type."""
    known = list(nodes)
    names = dict.fromkeys(name for node in known for name in node.partitions)
    return Availability(message, tuple(_row(name, known) for name in names), _gpus(known))


def _row(name: str, nodes: Sequence[Node]) -> dict[str, str]:
    own = [node for node in nodes if name in node.partitions]
    usable = [node for node in own if node.is_usable]
    idle = sum(node.count for node in usable if node.is_empty)
    away = sum(node.count for node in own if not node.is_usable)
    states = [(idle, "idle"), (sum(n.count for n in usable) - idle, "in use"), (away, "away")]
    gpus = _gpus(own)
    return {
        "partition": name,
        "nodes": ", ".join(f"{count} {word}" for count, word in states if count),
        "free cpus": f"{sum(n.free_cpus * n.count for n in usable)} of {sum(n.cpus * n.count for n in own)}",
        "free gpus": ", ".join(f"{g['free']} of {g['total']} {g['type']}".rstrip() for g in gpus),
    }


def _gpus(nodes: Sequence[Node]) -> tuple[dict[str, str | int], ...]:
    kinds = sorted({kind for node in nodes for kind in node.gpus})
    return tuple(
        {
            "type": kind,
            "free": sum(n.free_gpus.get(kind, 0) * n.count for n in nodes if n.is_usable),
            "total": sum(n.gpus.get(kind, 0) * n.count for n in nodes),
        }
        for kind in kinds
    )
