"""A Kubernetes for tests, from a shell: ``python -m tests.clusters.kubernetes up --dir /tmp/k8s``, ``… down``.

``… build`` makes everything that tests want to find in the cache; ``… missing`` names the Debian packages to install.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from jupyter_hpc.model.exceptions import TargetError
from jupyter_hpc.practice import kubernetes
from jupyter_hpc.practice.kubernetes import binaries as build
from jupyter_hpc.practice.kubernetes import images

from .components import PROGRAMS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.clusters.kubernetes", description=__doc__)
    parser.add_argument("action", choices=("build", "missing", "up", "down", "status"))
    parser.add_argument("--dir", type=Path, default=None, help="where it lives; the practice cluster's place")
    parser.add_argument("--gpus", default="2", help="GPUs of each node, such as 2 or 2,0 for two nodes")
    arguments = parser.parse_args()
    try:
        if arguments.action == "missing":
            print(*kubernetes.missing_packages())
        elif arguments.action == "build":
            build.servers(_say)
            for each in PROGRAMS:
                each.path()
        elif arguments.action == "down":
            print("stopped" if kubernetes.down(arguments.dir) else "nothing was running")
        elif arguments.action == "status":
            print(kubernetes.status(arguments.dir).detail)
        else:
            gpus = [int(count) for count in arguments.gpus.split(",")]
            cluster = kubernetes.up(arguments.dir, gpus=gpus, say=_say)
            users = {user: str(cluster.kubeconfig(user)) for user in ("admin", "alice", "bob")}
            print(
                json.dumps(
                    {"kubeconfig": users, "image": images.PYTHON, "image_with_packages": images.PACKAGES},
                    indent=1,
                )
            )
    except TargetError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
