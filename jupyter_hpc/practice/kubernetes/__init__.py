"""A real Kubernetes of one's own on one machine: built from source once, up in seconds, gone without a trace.

The rest of the package is loaded when it is used, because every kernel asks `find_running`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .place import find_running, kubernetes_root

if TYPE_CHECKING:
    from .cluster import Cluster, down, missing_packages, obstacle, status, up

__all__ = [
    "Cluster",
    "down",
    "find_running",
    "kubernetes_root",
    "missing_packages",
    "obstacle",
    "status",
    "up",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from . import cluster

        return getattr(cluster, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
