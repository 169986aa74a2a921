"""What some tests want beside the cluster: a real Kueue, S3 gateway and kubectl. Built and started when asked for."""

from __future__ import annotations

import functools
import json
import secrets
import shutil
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jupyter_hpc.model.exceptions import TargetError
from jupyter_hpc.practice.kubernetes import Cluster
from jupyter_hpc.practice.kubernetes import binaries as build
from jupyter_hpc.practice.kubernetes.api import Api

_KUEUE, _S3 = "sigs.k8s.io/kueue", "github.com/versity/versitygw/cmd/versitygw"
_S3_PORT, _KUEUE_PORT = 7070, 8081


@dataclass(frozen=True)
class Program:
    """A program in the user's cache, built from its Go modules into a folder that is given, in about so many minutes."""

    name: str
    version: str
    make: Callable[[Path, str], None]
    minutes: float

    def path(self) -> Path:
        """The program, built if need be."""
        return build.program(
            self.name, self.version, print, lambda folder: self.make(folder, self.version), self.minutes
        )

    def is_built(self) -> bool:
        """Whether it needn't be built."""
        return build.is_built(self.name, self.version)


@dataclass(frozen=True)
class Kueue:
    """Kueue's controller on a cluster, without its webhooks: jobs have to be submitted suspended."""

    cluster: Cluster

    def start(self) -> None:
        """Install its definitions, start it, and wait until it works."""
        program = KUEUE.path()
        api, folder = self.cluster.control_plane.api(), self.cluster.machine.folder / "kueue"
        folder.mkdir(exist_ok=True)
        names = []
        for path in sorted((program.parent / "crds").glob("*.yaml")):
            group, _, plural = path.stem.partition("_")
            names.append(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.{group}")
            text = path.read_text(encoding="utf-8")
            api.call(
                "PATCH",
                f"{names[-1]}?fieldManager=tests&force=true",
                text,
                kind="application/apply-patch+yaml",
            )
        for name in names:
            self.cluster.machine.wait(
                functools.partial(_established, api, name), "kube-apiserver", f"{name} is Established"
            )
        self.cluster.machine.run(str(self.cluster.programs / "certificate"), str(folder / "tls"), "kueue", "127.0.0.1")
        (folder / "config.json").write_text(json.dumps(self._configuration(folder)), encoding="ascii")
        argv = [
            str(program),
            f"--config={folder}/config.json",
            f"--kubeconfig={self.cluster.kubeconfig()}",
            "--feature-gates=VisibilityOnDemand=false",
        ]
        for is_last in (False, False, True):  # on a busy machine its caches may miss their own deadline
            self.cluster.machine.start("kueue", argv)
            try:
                self.cluster.machine.wait(self._ready, "kueue", "its readiness", every_s=0.2)
                return
            except TargetError:
                if is_last:
                    raise
                self.stop()

    def make_queue(self, name: str, *, gpus: int, namespace: str = "default") -> None:
        """A queue that lets jobs run while they ask for no more than this in all."""
        quota = {"nvidia.com/gpu": gpus, "cpu": 64, "memory": "256Gi"}
        flavor = {
            "name": "default",
            "resources": [{"name": each, "nominalQuota": amount} for each, amount in quota.items()],
        }
        groups = [{"coveredResources": list(quota), "flavors": [flavor]}]
        for kind, called, spec in (
            ("ResourceFlavor", "default", {}),
            ("ClusterQueue", name, {"namespaceSelector": {}, "resourceGroups": groups}),
            ("LocalQueue", name, {"clusterQueue": name}),
        ):
            place = f"namespaces/{namespace}/" if kind == "LocalQueue" else ""
            body = {
                "apiVersion": "kueue.x-k8s.io/v1beta1",
                "kind": kind,
                "metadata": {"name": called},
                "spec": spec,
            }
            path = f"/apis/kueue.x-k8s.io/v1beta1/{place}{kind.lower()}s/{called}?fieldManager=tests&force=true"
            self.cluster.control_plane.api().call("PATCH", path, body, kind="application/apply-patch+yaml")

    def stop(self) -> None:
        """End it; what it defined stays."""
        self.cluster.machine.kill("kueue")

    def _configuration(self, folder: Path) -> dict[str, object]:
        return {
            "apiVersion": "config.kueue.x-k8s.io/v1beta1",
            "kind": "Configuration",
            "namespace": "default",
            "leaderElection": {"leaderElect": False},
            "metrics": {"bindAddress": "0"},
            "health": {"healthProbeBindAddress": f"{self.cluster.network.api}:{_KUEUE_PORT}"},
            "webhook": {"host": "127.0.0.1", "certDir": str(folder)},
            "internalCertManagement": {"enable": False},
            "integrations": {"frameworks": ["batch/job"]},
        }

    def _ready(self) -> bool:
        return _answers(f"http://{self.cluster.network.api}:{_KUEUE_PORT}/readyz")


@dataclass(frozen=True)
class S3:
    """An S3 gateway to a folder. Pods and the tests reach it at the same address."""

    cluster: Cluster
    access_key: str = "practice"
    secret_key: str = secrets.token_hex(12)

    @property
    def endpoint(self) -> str:
        return f"http://{self.cluster.network.api}:{_S3_PORT}"

    @property
    def folder(self) -> Path:
        """One folder below for each bucket."""
        return self.cluster.machine.folder / "s3"

    def start(self, *buckets: str) -> None:
        """Start it, with these buckets."""
        for bucket in buckets:
            (self.folder / bucket).mkdir(parents=True, exist_ok=True)
        address = f"{self.cluster.network.api}:{_S3_PORT}"
        keys = ["--access", self.access_key, "--secret", self.secret_key]
        self.cluster.machine.start(
            "versitygw", [str(VERSITYGW.path()), *keys, "--port", address, "posix", str(self.folder)]
        )
        self.cluster.machine.wait(lambda: _answers(self.endpoint), "versitygw", "its port")

    def stop(self) -> None:
        """End it; the buckets stay until the cluster goes."""
        self.cluster.machine.kill("versitygw")


def _established(api: Api, name: str) -> bool:
    """Whether the API server serves a definition."""
    conditions = api.call("GET", name).get("status", {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def _answers(url: str) -> bool:
    """Whether a server says anything, were it that it wants a key."""
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2).close()
    except urllib.error.HTTPError as error:
        return error.code == 403
    except OSError:
        return False
    return True


def _build_kueue(folder: Path, _: str) -> None:
    source = Path(__file__).parent / "kueue"
    _go("build", "-o", str(folder / "kueue"), f"{_KUEUE}/cmd/kueue", source=source)
    module = Path(build.run_go("list", "-m", "-f", "{{.Dir}}", _KUEUE, source=source).strip())
    shutil.copytree(module / "config" / "components" / "crd" / "bases", folder / "crds", copy_function=shutil.copyfile)


def _build_s3(folder: Path, version: str) -> None:
    _go("install", f"{_S3}@{version}", source=folder, env={"GOBIN": str(folder)})


def _build_kubectl(folder: Path, version: str) -> None:
    says = f" -X k8s.io/component-base/version.gitVersion={version}"
    _go("build", "-o", str(folder / "kubectl"), ".", source=Path(__file__).parent / "kubectl", flags=says)


def _go(command: str, *words: str, source: Path, flags: str = "", env: dict[str, str] | None = None) -> None:
    build.run_go(command, "-trimpath", "-ldflags", f"-s -w{flags}", *words, source=source, env=env)


KUEUE = Program("kueue", "v0.10.0", _build_kueue, minutes=2.5)
VERSITYGW = Program("versitygw", "v1.8.0", _build_s3, minutes=1)
KUBECTL = Program("kubectl", "v1.35.4", _build_kubectl, minutes=0.5)  # Kubernetes' number; in its go.mod v0.35.4
PROGRAMS = (VERSITYGW, KUEUE, KUBECTL)
