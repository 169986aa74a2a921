"""Who holds what of each node, from the nodes and everybody's pods where those may be seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...model.capacity import Amount, Capacity, NodeGroup, Queued, grouped
from .manifest import USER
from .objects import condition, node_of, quantity

_UNSEEN_NODES = "The nodes may not be seen here: that takes the right to list them."
_UNSEEN_PODS = "What is free may not be seen here: that takes the right to list everybody's pods."


def capacity(
    nodes: Iterable[Mapping[str, Any]],
    pods: Iterable[Mapping[str, Any]] | None,
    user: str,
    resource: str,
    label: str,
    names: Mapping[str, str],
) -> Capacity:
    """Return each node with what its pods have asked for.

    Parameters
    ----------
    pods : iterable of mapping or None
        Everybody's that hold something; None where they may not be seen.
    user : str
        What the label of one's own pods says.
    resource, label, names
        What GPUs are counted by, the label of a node that tells their type, and its values' names here.
    """
    kinds = ("cpu", "memory", resource)
    held: dict[str, list[float]] = {}
    own: dict[str, list[float]] = {}
    waiting = mine = 0
    for pod in pods or ():
        where, is_mine = node_of(pod), (pod["metadata"].get("labels") or {}).get(USER) == user
        if not where:
            waiting, mine = waiting + 1, mine + is_mine
            continue
        asked = [_asked(pod, kind) for kind in kinds]
        for sums in (held, own) if is_mine else (held,):
            sums[where] = [a + b for a, b in zip(sums.get(where, [0.0] * len(kinds)), asked, strict=True)]
    found = []
    for node in nodes:
        name, labels = str(node["metadata"]["name"]), node["metadata"].get("labels") or {}
        state, reason = _state(node)
        has = (node.get("status") or {}).get("allocatable") or {}
        cpus, memory, gpus = (
            _amount(quantity(str(has.get(kind, 0))), taken, ours, 2**20 if kind == "memory" else 1, pods is not None)
            for kind, taken, ours in zip(kinds, held.get(name, [0.0] * 3), own.get(name, [0.0] * 3), strict=True)
        )
        kind = names.get(labels.get(label, ""), labels.get(label, "")) if gpus.total else ""
        if state != "up":
            cpus, memory, gpus = (amount.taken_away() for amount in (cpus, memory, gpus))
        found.append(NodeGroup((name,), (), state, "", reason, cpus, memory, gpus, kind))
    note = _UNSEEN_NODES if not found else "" if pods is not None else _UNSEEN_PODS
    return Capacity(grouped(found), [Queued("", waiting, mine)] if waiting else [], (), note)


def _asked(pod: Mapping[str, Any], kind: str) -> float:
    total = 0.0
    for container in pod["spec"].get("containers") or []:
        resources = container.get("resources") or {}
        total += quantity(str({**(resources.get("limits") or {}), **(resources.get("requests") or {})}.get(kind, 0)))
    return total


def _amount(total: float, held: float, own: float, unit: int, is_seen: bool) -> Amount:
    whole = int(total / unit)
    if not is_seen:
        return Amount(whole, None, None)
    free = max(int((total - held) / unit), 0)
    return Amount(whole, free, min(round(own / unit), whole - free))


def _state(node: Mapping[str, Any]) -> tuple[str, str]:
    """Return ``up``, ``drained`` or ``down``, and why."""
    if condition(node, "Ready") is None:
        known = {each["type"]: each for each in (node.get("status") or {}).get("conditions") or []}
        if "Ready" in known:
            return "down", str(known["Ready"].get("message") or known["Ready"].get("reason") or "it is not ready")
    if (node.get("spec") or {}).get("unschedulable"):
        return "drained", "it is cordoned"
    return "up", ""
