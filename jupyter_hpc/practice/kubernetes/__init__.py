"""A real Kubernetes of one's own on one machine: built from source once, up in seconds, gone without a trace.

The rest of the package is loaded when it is used, because every kernel asks `find_running`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_hpc.practice.cluster import practice_root

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

STATE = "state"  # a cluster's folder of this name goes when the cluster does


def __getattr__(name: str) -> Any:
    if name in __all__:
        from . import cluster

        return getattr(cluster, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def kubernetes_root() -> Path:
    """The default cluster's directory: beside the practice Slurm's."""
    slurm = practice_root()
    return slurm.with_name(f"{slurm.name}-kubernetes")


def find_running() -> dict[str, str]:
    """The settings of a target that is the default cluster, if it is up; nothing otherwise."""
    state = kubernetes_root() / STATE
    if not state.exists():
        return {}
    from .images import PACKAGES
    from .machine import Machine

    return {"kubeconfig": str(state / "admin.kubeconfig"), "image": PACKAGES} if Machine.find(state) else {}
