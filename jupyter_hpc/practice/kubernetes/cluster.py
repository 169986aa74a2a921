"""Start, stop and look at a practice Kubernetes."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from ...model.exceptions import TargetError
from ...practice.slurm_processes import daemon_of, stop
from ..slurm_cluster import PracticeStatus
from . import binaries, images, keeper
from .control_plane import ControlPlane
from .node import Network, Node, load_images
from .place import STATE, kubernetes_root
from .processes import Machine

_COMMANDS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "busybox": "busybox-static",
    "ip": "iproute2",
    "nsenter": "util-linux",
}
_LOCK, _DESCRIPTION = "kubernetes.lock", "cluster.json"
_SERVERS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_PATH_LIMIT = 70  # etcd's sockets lie 25 characters deeper, and may have 107


class Cluster:
    """A practice Kubernetes that is up, or was.

    Parameters
    ----------
    directory : Path
        Where it lives.
    machine : Machine
        The namespaces that it runs in.
    """

    def __init__(self, directory: Path, machine: Machine) -> None:
        described = json.loads((directory / STATE / _DESCRIPTION).read_text(encoding="ascii"))
        self.directory, self.machine = directory, machine
        self.network = Network(described["network"])
        self.nodes = [Node(**node) for node in described["nodes"]]
        self.programs = Path(described["programs"])
        self.control_plane = ControlPlane(machine, self.network, self.programs)

    @classmethod
    def find(cls, directory: Path) -> Cluster | None:
        """The cluster that lives in a directory, if its namespaces are up."""
        machine = Machine.find(directory / STATE)
        if machine is None or not (directory / STATE / _DESCRIPTION).exists():
            return None
        return cls(directory, machine)

    def dead(self) -> tuple[str, ...]:
        """The names of what should run and doesn't, as `kill` and `start` take them."""
        return tuple(name for name in self._programs() if not self.machine.running(name))

    def kubeconfig(self, user: str = "admin") -> Path:
        """The kubeconfig of ``admin``, who may do everything, or of ``alice`` or ``bob``, who may do nothing."""
        return self.machine.folder / f"{user}.kubeconfig"

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End one program: ``kube-apiserver``, ``kubelet-node1``, ``containerd-node2`` …"""
        self.machine.kill(name, number)

    def start(self, name: str) -> None:
        """Start a program again; returns before it answers."""
        server, _, node = name.rpartition("-node")
        if not node.isdigit():
            self.control_plane.start_server(name)
        elif server == "kubelet":
            self._node(int(node)).start_kubelet(self.machine, self.programs)
        else:
            self._node(int(node)).start_containerd(self.machine, self.machine.folder / f"node{node}")

    def add_node(self, gpus: int = 0) -> Node:
        """Add the second node to a cluster that runs with one, and wait until it is Ready."""
        if len(self.nodes) > 1:
            raise TargetError("A practice Kubernetes has at most two nodes.")
        node = replace(self.nodes[0], number=2, gpus=gpus)
        node.start(self.machine, self.network, self.programs, _images(self.machine, lambda _: None))
        self.nodes.append(node)
        _describe(self.machine.folder, self.network, self.nodes, self.programs)
        self.wait_ready()
        return node

    def wait_ready(self, *, timeout_s: float = 90) -> None:
        """Wait until the API answers and all nodes are Ready."""
        api = self.control_plane.api()
        self.machine.wait(api.ready, "kube-apiserver", "its API", timeout_s=timeout_s)
        for node in self.nodes:
            self.machine.wait(
                lambda node=node: (  # type: ignore[misc]
                    node.gpus_registered(self.machine) and api.node_ready(node.name, node.gpus)
                ),
                f"kubelet-{node.name}",
                "a Ready node",
                timeout_s=timeout_s,
                every_s=0.2,
            )

    def _programs(self) -> Iterator[str]:
        yield from _SERVERS
        for node in self.nodes:
            yield from (node.name, f"containerd-{node.name}", f"kubelet-{node.name}")
            if node.gpus:
                yield f"gpu-plugin-{node.name}"

    def _node(self, number: int) -> Node:
        return next(node for node in self.nodes if node.number == number)


def up(
    directory: Path | None = None,
    *,
    gpus: Sequence[int] = (2,),
    log_max_size: str = "10Mi",
    owner: int | None = None,
    say: Callable[[str], None] = print,
) -> Cluster:
    """Start the cluster, and wait until its nodes are Ready.

    Does nothing when it runs already. What is left of one that died is cleaned first.

    Parameters
    ----------
    directory : Path, optional
        Where it lives; `kubernetes_root` by default.
    gpus : sequence of int
        The GPUs of each node; one node for each entry, at most two.
    log_max_size : str
        At what size the kubelet rotates a container's log.
    owner : int, optional
        A process: when it is gone, the cluster ends.
    say : callable
        Told what is about to take long.

    Raises
    ------
    TargetError
        When something is missing, or doesn't start.
    """
    where = _directory(directory)
    _require(where)
    where.mkdir(parents=True, exist_ok=True, mode=0o700)
    programs = binaries.servers(say)
    with _lock(where):
        found = Cluster.find(where)
        if found is not None and not found.dead():
            return found
        _remove(where)
        nodes = [Node(number, count, log_max_size) for number, count in enumerate(gpus, 1)]
        try:
            return _start(where, nodes, programs, owner, say)
        except BaseException:
            machine = Machine.find(where / STATE)
            if machine is not None:
                machine.destroy()  # the logs stay
            raise


def down(directory: Path | None = None) -> bool:
    """End the cluster with everything in it, and remove its state.

    Returns
    -------
    bool
        Whether something was stopped.
    """
    where = _directory(directory)
    if not (where / _LOCK).exists():
        return False
    with _lock(where):
        return _remove(where)


def status(directory: Path | None = None) -> PracticeStatus:
    """Whether the cluster runs; looks at its processes only, so it is quick."""
    where = _directory(directory)
    found = Cluster.find(where)
    if found is None:
        return PracticeStatus(False, where, None, (), "", f"No practice Kubernetes runs in {where}.")
    version, dead = binaries.kubernetes_version(), found.dead()
    names = tuple(node.name for node in found.nodes)
    if dead:
        detail = f"The practice Kubernetes in {where} is broken: {', '.join(dead)} died."
        return PracticeStatus(False, where, None, names, version, detail)
    detail = f"Kubernetes {version} runs in {where}, with {' and '.join(names)}."
    return PracticeStatus(True, where, found.kubeconfig(), names, version, detail)


def missing_packages() -> list[str]:
    """The Debian packages that a practice Kubernetes still needs; empty when all are there."""
    places = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = {package for name, package in _COMMANDS.items() if not shutil.which(name, path=places)}
    if not any(Path(place, "bridge").exists() for place in ("/usr/lib/cni", "/opt/cni/bin")):
        missing.add("containernetworking-plugins")
    return sorted(missing)


def obstacle() -> TargetError | None:
    """Why a practice Kubernetes can't be started here, and what would help; None if it can."""
    if not sys.platform.startswith("linux"):
        return TargetError("A practice Kubernetes runs on Linux only.", hint="Name another cluster with KUBECONFIG.")
    if os.geteuid() != 0:
        return TargetError(
            "A practice Kubernetes takes root: it makes containers, namespaces and control groups.",
            hint="Run it as root, or name another cluster with KUBECONFIG (kind and k3s need less).",
        )
    missing = missing_packages()
    if missing:
        command = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
        return TargetError(
            f"A practice Kubernetes needs {', '.join(missing)}.",
            hint=f"On Debian or Ubuntu, as root: {command}",
        )
    if not binaries.servers_built() and binaries.find_go() is None:
        return TargetError("There is no Go to build a practice Kubernetes with.", hint=binaries.go_hint())
    return None


def _require(where: Path) -> None:
    problem = obstacle()
    if problem is None and len(str(where)) > _PATH_LIMIT:
        problem = TargetError(
            f"A practice Kubernetes can't live in {where}: sockets want at most {_PATH_LIMIT} characters.",
            hint="Set JUPYTER_HPC_PRACTICE_DIR to a shorter path, for example below /tmp.",
        )
    if problem is not None:
        raise problem


def _directory(directory: Path | None) -> Path:
    return (directory or kubernetes_root()).expanduser().resolve()


@contextmanager
def _lock(where: Path) -> Iterator[None]:
    """One start or stop at a time, whichever process asks."""
    with (where / _LOCK).open("a", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _start(where: Path, nodes: list[Node], programs: Path, owner: int | None, say: Callable[[str], None]) -> Cluster:
    state = where / STATE
    state.mkdir(mode=0o700)
    machine = Machine.create(state, owner)
    with binaries.lock("network"):  # two that start at once would choose the same network
        network = _make_network(machine)
    _describe(state, network, nodes, programs)
    cluster = Cluster(where, machine)
    cluster.control_plane.prepare()
    cluster.control_plane.start()
    found = _images(machine, say)
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(node.start, machine, network, programs, found) for node in nodes]:
            done.result()
    cluster.control_plane.start_controllers()
    cluster.wait_ready()
    api = cluster.control_plane.api()
    machine.wait(
        lambda: api.exists("/api/v1/namespaces/default/serviceaccounts/default"),
        "kube-controller-manager",
        "a service account",
    )
    return cluster


def _images(machine: Machine, say: Callable[[str], None]) -> Path:
    def load(archive: Path, root: Path) -> None:
        say("Packing images from this machine's Python and its packages: about a minute, once.")
        load_images(machine, archive, root)

    with binaries.lock("images"):
        return binaries.use(images.containerd_root(binaries.cache_folder(), load))


def _describe(state: Path, network: Network, nodes: Sequence[Node], programs: Path) -> None:
    described = {
        "network": network.number,
        "nodes": [asdict(node) for node in nodes],
        "programs": str(programs),
    }
    (state / _DESCRIPTION).write_text(json.dumps(described), encoding="ascii")


def _make_network(machine: Machine) -> Network:
    """A bridge with the nodes' addresses, and a cable from there to the world outside the namespaces."""
    taken = _ip("-4", "-o", "address") + _ip("-4", "route")
    network = Network(next(number for number in range(1, 250) if f"10.77.{number}." not in taken))
    machine.run("ip", "link", "set", "lo", "up")
    # with an address of its own: else it takes one of its ports', and changes it when a pod comes or goes
    hardware = f"0a:58:0a:4d:{network.number:02x}:01"
    machine.run("ip", "link", "add", "nodes", "address", hardware, "type", "bridge")
    own = [f"{network.address(last)}/24" for last in (1, 2)]
    for address in (*own, f"{network.API_SERVICE}/32", f"{network.DNS_SERVICE}/32"):
        machine.run("ip", "address", "add", address, "dev", "nodes")
    machine.run("ip", "link", "set", "nodes", "up")
    name = f"hpc-k8s{network.number}"
    _ip("link", "add", name, "type", "veth", "peer", "name", "outside", "netns", str(machine.first))
    machine.run("ip", "link", "set", "outside", "master", "nodes", "up")
    _ip("address", "add", f"{network.outside}/24", "dev", name)
    _ip("link", "set", name, "up")
    return network


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise TargetError(f"ip {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout


def _remove(where: Path) -> bool:
    state = where / STATE
    machine = Machine.find(state)
    if machine is not None:
        machine.destroy()
    else:  # one that was killed, or that did not get far
        left = daemon_of(state / "keeper.pid", state)
        if left is not None:
            stop([left], grace_s=10)
        keeper.sweep_cgroups()
    deadline = time.monotonic() + 10
    while state.exists():
        shutil.rmtree(state, ignore_errors=True)
        if state.exists() and time.monotonic() > deadline:
            raise TargetError(f"{state} can't be removed: something still uses it.")
    return machine is not None
