"""A node of the practice Kubernetes: containerd, kubelet, and what they are configured with."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from . import keeper
from .images import PAUSE, clone
from .processes import Machine

_CNI_PROGRAMS = ("/usr/lib/cni", "/opt/cni/bin")
_CONTAINERD = """\
version = 2
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni_programs}"
    conf_dir = "{folder}/cni"
"""


_SOCKET = "/run/containerd/containerd.sock"


@dataclass(frozen=True)
class Network:
    """The addresses of a cluster, all in 10.77.N.0/24 but the API's own service."""

    number: int

    SERVICES = "10.96.0.0/16"
    API_SERVICE = "10.96.0.1"
    DNS_SERVICE = "10.96.0.10"  # nobody listens there

    @property
    def subnet(self) -> str:
        return f"10.77.{self.number}.0/24"

    @property
    def api(self) -> str:
        return self.address(1)

    @property
    def outside(self) -> str:
        return self.address(254)

    def address(self, last: int) -> str:
        return f"10.77.{self.number}.{last}"


@dataclass(frozen=True)
class Node:
    """One node, told apart by its number: 1 has the cluster's own address."""

    number: int
    gpus: int
    log_max_size: str = "10Mi"

    @property
    def name(self) -> str:
        return f"node{self.number}"

    def address(self, network: Network) -> str:
        return network.address(self.number)

    def start(self, machine: Machine, network: Network, programs: Path, images: Path) -> None:
        """Start everything a node consists of; it is Ready some seconds later."""
        folder = machine.folder / self.name
        folder.mkdir(exist_ok=True)
        keeper.make_cgroup(f"{machine.cgroup}/{self.name}")
        self._write(folder, machine, network)
        own = folder / "var" / "lib" / "containerd"
        own.mkdir(parents=True)
        clone(images, own)
        machine.start(self.name, [sys.executable, "-I", "-S", keeper.__file__, "node", str(folder)])
        machine.wait((folder / "ready").exists, self.name, "its file systems")
        self.start_containerd(machine, folder)
        self.start_kubelet(machine, programs)
        if self.gpus:
            argv = [str(programs / "gpu-plugin"), "/var/lib/kubelet/device-plugins", str(self.gpus)]
            machine.start(f"gpu-plugin-{self.name}", argv, node=self.name)

    def start_containerd(self, machine: Machine, folder: Path) -> None:
        """Start containerd, and wait for its socket: a kubelet gives up soon; its containers outlive it."""
        name, argv = f"containerd-{self.name}", ["containerd", "--config", str(folder / "containerd.toml")]
        machine.start(name, argv, node=self.name)
        machine.wait(machine.path(_SOCKET, self.name).exists, name, "its socket")

    def start_kubelet(self, machine: Machine, programs: Path) -> None:
        """Start the kubelet, the first time or after it was killed."""
        folder = machine.folder / self.name
        labels = {"practice": "true"}
        if self.gpus:  # as NVIDIA's feature discovery would put them there
            labels |= {
                "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB",
                "nvidia.com/gpu.count": str(self.gpus),
            }
        argv = [
            str(programs / "kubelet"),
            f"--config={folder}/kubelet.json",
            f"--kubeconfig={machine.folder}/{self.name}.kubeconfig",
            f"--hostname-override={self.name}",
            f"--node-ip={json.loads((folder / 'kubelet.json').read_text(encoding='ascii'))['address']}",
            f"--node-labels={','.join(f'{key}={value}' for key, value in labels.items())}",
        ]
        machine.start(f"kubelet-{self.name}", argv, node=self.name)

    def gpus_registered(self, machine: Machine) -> bool:
        """Whether this kubelet knows the GPUs; until then it fails pods that want some."""
        file = machine.folder / self.name / "var" / "lib" / "kubelet" / "device-plugins" / "registered"
        started = (machine.folder / f"kubelet-{self.name}.pid").stat().st_mtime
        return not self.gpus or (file.exists() and file.stat().st_mtime > started)

    def _write(self, folder: Path, machine: Machine, network: Network) -> None:
        (folder / "cni").mkdir(exist_ok=True)
        (folder / "cni" / "10-practice.conflist").write_text(json.dumps(self._cni(network)), encoding="ascii")
        programs = next((place for place in _CNI_PROGRAMS if Path(place, "bridge").exists()), _CNI_PROGRAMS[0])
        text = _CONTAINERD.format(pause=PAUSE, cni_programs=programs, folder=folder)
        (folder / "containerd.toml").write_text(text, encoding="ascii")
        (folder / "resolv.conf").write_text(f"nameserver {network.DNS_SERVICE}\n", encoding="ascii")
        (folder / "kubelet.json").write_text(
            json.dumps(self._kubelet(folder, machine, network), indent=1), encoding="ascii"
        )

    def _cni(self, network: Network) -> dict[str, object]:
        """Pods share the nodes' bridge; of the world they can reach it, and the API's service."""
        first = 10 + 115 * (self.number - 1)
        ipam = {
            "type": "host-local",
            "ranges": [
                [
                    {
                        "subnet": network.subnet,
                        "rangeStart": network.address(first),
                        "rangeEnd": network.address(first + 114),
                    }
                ]
            ],
            "routes": [{"dst": network.SERVICES, "gw": network.api}],
        }
        bridge = {"type": "bridge", "bridge": "nodes", "isGateway": False, "ipMasq": False, "ipam": ipam}
        return {"cniVersion": "0.4.0", "name": "practice", "plugins": [bridge]}

    def _kubelet(self, folder: Path, machine: Machine, network: Network) -> dict[str, object]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": self.address(network),
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": False},
                "x509": {"clientCAFile": str(machine.folder / "kubelet-client.crt")},
            },
            "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{machine.cgroup}/{self.name}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "protectKernelDefaults": True,  # keeper.py shows it what it wants
            "containerRuntimeEndpoint": f"unix://{_SOCKET}",
            "clusterDNS": [network.DNS_SERVICE],
            "clusterDomain": "cluster.local",
            "resolvConf": str(folder / "resolv.conf"),
            "containerLogMaxSize": self.log_max_size,
            "containerLogMonitorInterval": "3s",
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "100Mi",
                "imagefs.available": "100Mi",
            },
            "imageGCHighThresholdPercent": 100,  # an image that is removed can't be pulled again
            "imageGCLowThresholdPercent": 99,
            "nodeLeaseDurationSeconds": 12,
            "nodeStatusUpdateFrequency": "5s",
            "serializeImagePulls": False,
            "healthzPort": 0,
            "readOnlyPort": 0,
        }


def load_images(machine: Machine, archive: Path, root: Path) -> None:
    """Let a containerd of its own import images into a folder, and end it."""
    socket = root.parent / "containerd.sock"
    options = ["--root", str(root), "--state", str(root.parent / "state"), "--address", str(socket)]
    configuration = root.parent / "containerd.toml"
    configuration.write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n', encoding="ascii")
    machine.start("containerd-images", ["containerd", "--config", str(configuration), *options])
    try:
        machine.wait(socket.exists, "containerd-images", "its socket")
        machine.run("ctr", "--address", str(socket), "-n", "k8s.io", "images", "import", str(archive))
    finally:
        machine.kill("containerd-images", signal.SIGTERM)
