"""What Kubernetes' objects say, read from them: conditions, states, quantities, times."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .manifest import CONTAINER

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Seen:
    """What there is of one job."""

    job: Object | None
    pods: Sequence[Object] = ()
    was_deleted: bool = False
    events: Sequence[Object] = field(default_factory=tuple)
    nodes: Sequence[Object] = field(default_factory=tuple)
    workload: Object | None = None
    now: float = 0.0


def condition(item: Object, kind: str) -> Object | None:
    """Return a condition of an object if it is true."""
    found = (item.get("status") or {}).get("conditions") or []
    return next((c for c in found if c["type"] == kind and c["status"] == "True"), None)


def container_status(pod: Object) -> Object:
    """Return our container's status; empty while there is none."""
    found = (pod.get("status") or {}).get("containerStatuses") or []
    return next((c for c in found if c["name"] == CONTAINER), found[0] if found else {})


def is_over(pod: Object) -> bool:
    """Whether nothing more will come from a pod."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


_DECIMAL = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_UNITS = {**_DECIMAL, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}


def quantity(text: str) -> float:
    """Return a Kubernetes quantity (``500m``, ``4Gi``) as a number; 0 for what can't be read."""
    match = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", text)
    return float(match[1]) * _UNITS.get(match[2], 1.0) if match else 0.0


def node_of(pod: Object | None) -> str:
    """Return the name of the node that has a pod; empty if none has."""
    return str((pod or {}).get("spec", {}).get("nodeName") or "")


def ended_at(pod: Object) -> float | None:
    """Return when a pod's container ended, if it has."""
    return time_stamp((container_status(pod).get("state", {}).get("terminated") or {}).get("finishedAt"))


def time_stamp(text: str | None) -> float | None:
    """Return seconds since the epoch; None for what Kubernetes writes when it doesn't know (1970)."""
    if not text or text.startswith("1970"):
        return None
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
