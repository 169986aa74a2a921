"""The clusters that a campaign runs on, and how one trial's folder becomes the environment of its processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from jupyter_hpc import practice
from jupyter_hpc.backends.kubernetes.manifest import RUN
from jupyter_hpc.model.exceptions import TargetError
from jupyter_hpc.practice import kubernetes as practice_kubernetes
from jupyter_hpc.practice.kubernetes import images
from jupyter_hpc.practice.slurm_cluster import daemon_pid, start_again
from jupyter_hpc.testing.sandbox import environment
from tests.clusters.slurm.cluster import FullSlurm
from tests.kubernetes.access import Admin

from .disk import Disk
from .wire import Wire

NAMESPACE = "default"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


class World(ABC):
    """A cluster, as a campaign uses and breaks it."""

    target = "slurm"
    daemons: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disk = Disk(folder / "d")  # before the cluster: a site's nodes see what was mounted when they started
        self.forgot_jobs = False  # the controller was killed since the last trial began
        self.locks = {daemon: Lock() for daemon in self.daemons}  # one accident of a daemon at a time

    def environment(self, trial: Path) -> dict[str, str]:
        """Return the whole environment of a process of the trial's."""
        own = {"JUPYTER_CONFIG_DIR": str(trial / "config"), "JUPYTER_HPC_ROOT": str(self.disk.folder / trial.name)}
        return {**environment(trial), **own, **self.own_environment()}

    def own_environment(self) -> dict[str, str]:
        """Return what leads a process to the cluster."""
        return {}

    def settings(self) -> dict[str, Any]:
        """Return Jupyter's configuration of our targets."""
        return {}

    def prepared(self, trial: Path) -> dict[str, str]:
        """Make the trial's folders and return its processes' environment."""
        (trial / "config").mkdir(parents=True)
        (trial / "config" / "jupyter_hpc_config.json").write_text(json.dumps({"JupyterHPC": self.settings()}))
        return self.environment(trial)

    @abstractmethod
    def signal(self, daemon: str, number: int) -> None:
        """Send a signal to a daemon."""

    @abstractmethod
    def start(self, daemon: str) -> None:
        """Start a daemon that was killed; does nothing if it runs."""

    @abstractmethod
    def heal(self) -> None:
        """Let all be as before."""

    @abstractmethod
    def alive(self) -> list[str]:
        """Return what the cluster still has that has not ended, each with its run's id."""

    def stale(self, root: Path) -> dict[str, str]:
        """Return what lets a process see others' files below a root late, as a client of NFS does."""
        library = self.folder / "stale.so"
        if not library.exists():
            source = Path(__file__).with_name("stale.c")
            subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
        return {"LD_PRELOAD": str(library), "STALE_ROOT": str(root), "STALE_S": "2"}

    def run(self, trial: Path, *command: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command as a process of the trial's."""
        return subprocess.run(
            command, env=self.environment(trial), capture_output=True, text=True, timeout=timeout_s, check=False
        )


class PracticeWorld(World):
    """The practice Slurm, as `make demo` starts it."""

    daemons = ("slurmctld", "slurmd.c1")

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._cluster = folder / "s"
        practice.up(self._cluster)

    def own_environment(self) -> dict[str, str]:
        return {"JUPYTER_HPC_PRACTICE_DIR": str(self._cluster)}

    def signal(self, daemon: str, number: int) -> None:
        pid = daemon_pid(daemon, self._cluster)
        if pid is not None:
            os.kill(pid, number)

    def start(self, daemon: str) -> None:
        if daemon_pid(daemon, self._cluster) is None:
            with suppress(TargetError):  # it waits for all nodes: another daemon may be down just now
                start_again(daemon, self._cluster)

    def heal(self) -> None:
        for daemon in ("slurmctld", "slurmd.c1", "slurmd.g1"):
            self.signal(daemon, signal.SIGCONT)
            self.start(daemon)
        self._slurm("scontrol", "update", "nodename=c1,g1", "state=resume")  # refused where they are well

    def alive(self) -> list[str]:
        rows = self._slurm("squeue", "-h", "-o", "%i %T %k").splitlines()
        return [row for row in rows if "jupyter_hpc:" in row]

    def _slurm(self, *command: str) -> str:
        env = {**os.environ, **practice.environment(self._cluster)}
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False).stdout

    def down(self) -> None:
        practice.down(self._cluster)


class SiteWorld(World):
    """A whole Slurm site: munge, accounting, cgroups, preemption."""

    daemons = ("slurmctld", "slurmd.c1", "slurmdbd")

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._site = FullSlurm(folder / "s").up()

    def own_environment(self) -> dict[str, str]:
        found = self._site.environment("root")
        return {name: found[name] for name in ("SLURM_CONF", "PATH") if name in found}

    def signal(self, daemon: str, number: int) -> None:
        if self._site.alive(daemon):
            os.kill(self._site.pid(daemon), number)

    def start(self, daemon: str) -> None:
        if not self._site.alive(daemon):
            self._site.start(daemon)

    def heal(self) -> None:
        for daemon in self.daemons:
            self.signal(daemon, signal.SIGCONT)
        self._site.repaired()

    def alive(self) -> list[str]:
        rows = self._site.says("root", "squeue", "-h", "-o", "%i %T %k").splitlines()
        return [row for row in rows if "jupyter_hpc:" in row]

    def down(self) -> None:
        self._site.down()


class KubernetesWorld(World):
    """A Kubernetes of our own."""

    target = "k8s"
    daemons = ("kubelet-node1", "containerd-node1", "kube-apiserver", "etcd")

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._cluster = practice_kubernetes.up(folder / "k", gpus=(2,), owner=os.getpid(), say=lambda _: None)
        self._admin = Admin(self._cluster.kubeconfig())
        text = self._cluster.kubeconfig().read_text()
        server = re.search(r"https://([\d.]+)(?::(\d+))?", text)
        assert server is not None
        self.wire = Wire(server[1], int(server[2] or 443))
        self._kubeconfig = folder / "kubeconfig"  # of the trials' processes
        self._kubeconfig.write_text(text.replace(server[0], f"https://127.0.0.1:{self.wire.port}"))

    def settings(self) -> dict[str, Any]:
        own = {"backend": "kubernetes", "kubeconfig": str(self._kubeconfig), "image": images.PYTHON}
        return {"targets": {"k8s": {**own, "namespace": NAMESPACE}}}

    def pods(self, run_id: str) -> list[str]:
        """Return the names of a run's pods."""
        found = self._admin("GET", f"{PODS}?labelSelector={RUN}%3D{run_id}")
        return [pod["metadata"]["name"] for pod in found["items"]]

    def delete_pod(self, name: str) -> None:
        self._admin("DELETE", f"{PODS}/{name}")

    def evict_pod(self, name: str) -> None:
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": NAMESPACE}}
        self._admin("POST", f"{PODS}/{name}/eviction", body)

    def signal(self, daemon: str, number: int) -> None:
        self._cluster.kill(daemon, signal.Signals(number))

    def start(self, daemon: str) -> None:
        if daemon in self._cluster.dead():
            self._cluster.start(daemon)
            self.heal()

    def heal(self) -> None:
        for _ in range(20):  # a server that begins before the one that it needs gives up
            for name in self._cluster.dead():
                self._cluster.start(name)
            with suppress(TargetError):
                self._cluster.wait_ready()
                if not self._cluster.dead():
                    return
        self._cluster.wait_ready()

    def alive(self) -> list[str]:
        jobs = self._admin("GET", f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs?labelSelector={RUN}")["items"]
        active = (job for job in jobs if (job.get("status") or {}).get("active"))
        return [f"{job['metadata']['name']} {job['status']}" for job in active]

    def down(self) -> None:
        self._admin.close()
        practice_kubernetes.down(self.folder / "k")


WORLDS: Mapping[str, type[PracticeWorld | SiteWorld | KubernetesWorld]] = {
    "practice": PracticeWorld,
    "site": SiteWorld,
    "k8s": KubernetesWorld,
}


@contextmanager
def world(name: str) -> Iterator[PracticeWorld | SiteWorld | KubernetesWorld]:
    """Start a cluster for a campaign, and stop it at its end."""
    folder = Path(tempfile.mkdtemp(prefix="jc", dir="/tmp"))  # short: sockets lie below it
    folder.chmod(0o755)
    found = WORLDS[name](folder)
    try:
        yield found
    finally:
        found.down()
        found.disk.remove()
        shutil.rmtree(folder, ignore_errors=True)


__all__ = ["WORLDS", "World", "world"]
