"""What the nodes of a cluster have, and what of their GPUs is free where that may be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ...model.observation import Availability


def available(
    message: str,
    nodes: Iterable[Mapping[str, Any]],
    pods: Iterable[Mapping[str, Any]] | None,
    resource: str,
    label: str,
    names: Mapping[str, str],
) -> Availability:
    """Return a row for each node, and GPUs by type.

    Parameters
    ----------
    pods : iterable of mapping or None
        Everybody's that hold something; None where they may not be seen: then nobody knows what is free.
    resource, label, names
        What GPUs are counted by, the label of a node that tells their type, and its values' names here.
    """
    used: Counter[str] = Counter()
    for pod in pods or ():
        for container in pod["spec"].get("containers") or []:
            limits = (container.get("resources") or {}).get("limits") or {}
            used[str(pod["spec"].get("nodeName") or "")] += _count(limits, resource)
    rows, total, free = [], Counter[str](), Counter[str]()
    for node in nodes:
        name, has = node["metadata"]["name"], node["status"].get("allocatable") or {}
        labels = node["metadata"].get("labels") or {}
        count, kind = _count(has, resource), names.get(labels.get(label, ""), labels.get(label, ""))
        shown = f"{count} {kind}".strip() if count else ""
        cells = (name, str(has.get("cpu")), str(has.get("memory")), shown)
        rows.append(dict(zip(("node", "cpus", "memory", "gpus"), cells)))
        if count:
            total[kind] += count
            is_usable = not (node.get("spec") or {}).get("unschedulable")
            free[kind] += max(0, count - used[name]) if is_usable else 0
    known: list[dict[str, str | int]] = [
        {"type": kind, "free": free[kind], "total": total[kind]} for kind in sorted(total) if pods is not None
    ]
    return Availability(message, rows, known)


def _count(amounts: Mapping[str, Any], resource: str) -> int:
    written = str(amounts.get(resource, 0))
    return int(written) if written.isdecimal() else 0
