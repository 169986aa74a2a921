"""``jupyter hpc practice``: a Slurm or Kubernetes of one's own."""

from __future__ import annotations

import argparse
import sys

from ..model.exceptions import TargetError


def _practice(arguments: argparse.Namespace) -> str:
    from .. import practice

    if arguments.kubernetes:
        return _practice_kubernetes(arguments.action)
    if arguments.action == "up":
        return f"{practice.up().detail} `%%slurm` cells run there now; `jupyter hpc practice down` stops it."
    if arguments.action == "down":
        return "The practice Slurm is stopped." if practice.down() else "No practice Slurm was running."
    if arguments.action == "env":
        import shlex

        return "\n".join(f"export {k}={shlex.quote(v)}" for k, v in practice.environment().items())
    return practice.status().detail


def _practice_kubernetes(action: str) -> str:
    from ..practice import kubernetes

    if action == "up":
        cluster = kubernetes.up(say=_say)
        detail = kubernetes.status(cluster.directory).detail
        return f"{detail} `%%k8s` cells run there now; `jupyter hpc practice down --kubernetes` stops it."
    if action == "down":
        return "The practice Kubernetes is stopped." if kubernetes.down() else "No practice Kubernetes was running."
    found = kubernetes.status()
    if action == "env":
        import shlex

        if found.conf is None:
            raise TargetError(found.detail, hint="Start it with: jupyter-hpc practice up --kubernetes")
        return f"export KUBECONFIG={shlex.quote(str(found.conf))}"
    return found.detail


def _say(text: str) -> None:
    """Tell what takes long, before it does."""
    sys.stderr.write(f"{text}\n")


def _practice_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("up", "down", "status", "env"))
    parser.add_argument("--kubernetes", action="store_true", help="a Kubernetes instead; takes Linux, root and Go")
