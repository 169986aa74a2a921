"""The practice clusters, as the built-in targets that nothing else gives a cluster."""

from __future__ import annotations

import os
from pathlib import Path

from .target import Target


def practice_slurm() -> dict[str, Target]:
    """The practice Slurm as ``slurm``, when it is up and the machine has none of its own."""
    if os.environ.get("SLURM_CONF") or any(
        Path(p).exists() for p in ("/etc/slurm/slurm.conf", "/run/slurm/conf/slurm.conf")
    ):
        return {}
    from ..practice import find_running_conf

    conf = find_running_conf()
    return {"slurm": Target("slurm", "slurm", {"conf": str(conf)}, source="practice cluster")} if conf else {}


def practice_kubernetes() -> dict[str, Target]:
    """The practice Kubernetes as ``k8s``, when it is up and nothing else tells which cluster to use."""
    if (
        os.environ.get("KUBECONFIG")
        or os.environ.get("KUBERNETES_SERVICE_HOST")
        or Path("~/.kube/config").expanduser().exists()
    ):
        return {}
    from ..practice.kubernetes.place import find_running

    found = find_running()
    return {"k8s": Target("k8s", "kubernetes", found, source="practice cluster")} if found else {}
