"""Where the practice Kubernetes keeps its state, and how a running one is found."""

from __future__ import annotations

from pathlib import Path

from ..slurm_cluster import practice_root

STATE = "state"  # a cluster's folder of this name goes when the cluster does


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
    from .processes import Machine

    return {"kubeconfig": str(state / "admin.kubeconfig"), "image": PACKAGES} if Machine.find(state) else {}
