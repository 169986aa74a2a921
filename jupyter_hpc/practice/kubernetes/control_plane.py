"""etcd, API server, controllers and scheduler of the practice Kubernetes, and who may talk to them."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from .api import Api
from .node import Network
from .processes import Machine

# name, groups; users of tests and tour have no rights until a test binds them to a Role
_USERS = {
    "admin": "system:masters",
    "controllers": "system:masters",
    "system:kube-scheduler": "",
    "system:node:node1": "system:nodes",
    "system:node:node2": "system:nodes",
    "alice": "",
    "bob": "",
}
_FILES = {  # who has a kubeconfig in a file of another name than the user's
    "system:kube-scheduler": "scheduler",
    "system:node:node1": "node1",
    "system:node:node2": "node2",
}


class ControlPlane:
    """The servers that a cluster consists of beside its nodes.

    Parameters
    ----------
    machine : Machine
        Where they run.
    network : Network
        The addresses of the cluster.
    programs : Path
        The folder with one link for each server.
    """

    def __init__(self, machine: Machine, network: Network, programs: Path) -> None:
        self.machine, self.network, self.programs = machine, network, programs
        self.folder = machine.folder

    def prepare(self) -> None:
        """Write keys, certificates, users and their kubeconfigs."""
        addresses = (self.network.api, self.network.API_SERVICE, "127.0.0.1")
        self.machine.run(str(self.programs / "certificate"), str(self.folder / "api"), "kube-apiserver", *addresses)
        client = ("kubelet-client", "kube-apiserver-kubelet-client")
        self.machine.run(str(self.programs / "certificate"), str(self.folder / client[0]), client[1])
        rows = []
        for number, (user, groups) in enumerate(_USERS.items()):
            token = secrets.token_hex(16)
            rows.append(f'{token},{user},{number},"{groups}"')
            path = self.folder / f"{_FILES.get(user, user)}.kubeconfig"
            path.write_text(json.dumps(self._kubeconfig(user, token), indent=1), encoding="ascii")
            path.chmod(0o600)
        (self.folder / "tokens.csv").write_text("\n".join(rows) + "\n", encoding="ascii")
        (self.folder / "tokens.csv").chmod(0o600)

    def start(self) -> None:
        """Start etcd and the API server, which waits for it."""
        self.start_server("etcd")
        self.start_server("kube-apiserver")

    def start_controllers(self) -> None:
        """Start what the API server has to answer: the controllers give up after ten seconds without it."""
        self.machine.wait(self.api().ready, "kube-apiserver", "its API", timeout_s=90)
        for name in ("kube-controller-manager", "kube-scheduler"):
            self.start_server(name)

    def start_server(self, name: str) -> None:
        """Start one server, the first time or after it was killed."""
        if name == "etcd":
            (self.folder / name).mkdir(exist_ok=True, mode=0o700)
            self.machine.start(name, [str(self.programs / name), str(self.folder / name)])
            return
        options = {
            "kube-apiserver": self._apiserver,
            "kube-controller-manager": self._controllers,
            "kube-scheduler": self._scheduler,
        }[name]()
        argv = [f"--{key}" if value is None else f"--{key}={value}" for key, value in options.items()]
        self.machine.start(name, [str(self.programs / name), *argv])

    def api(self, user: str = "admin") -> Api:
        """A client for one of the users."""
        described = json.loads((self.folder / f"{user}.kubeconfig").read_text(encoding="ascii"))
        return Api(
            described["clusters"][0]["cluster"]["server"],
            self.folder / "api.crt",
            described["users"][0]["user"]["token"],
        )

    def _kubeconfig(self, user: str, token: str) -> dict[str, object]:
        """JSON, which is YAML too. The API server's certificate signs itself, so it is the authority."""
        cluster = {
            "server": f"https://{self.network.api}",
            "certificate-authority": str(self.folder / "api.crt"),
        }
        context = {"cluster": "practice", "user": user, "namespace": "default"}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "practice", "cluster": cluster}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": "practice", "context": context}],
            "current-context": "practice",
        }

    def _apiserver(self) -> dict[str, str | None]:
        key = str(self.folder / "api.key")
        client = self.folder / "kubelet-client"
        return {
            "etcd-servers": f"unix://{self.folder}/etcd/client.sock",
            "bind-address": "0.0.0.0",  # noqa: S104 - all of a network that is its own
            "secure-port": "443",  # so that its service needs no proxy
            "advertise-address": self.network.api,
            "endpoint-reconciler-type": "none",
            "service-cluster-ip-range": self.network.SERVICES,
            "tls-cert-file": str(self.folder / "api.crt"),
            "tls-private-key-file": key,
            "token-auth-file": str(self.folder / "tokens.csv"),
            "authorization-mode": "Node,RBAC",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-signing-key-file": key,
            "service-account-key-file": key,
            "kubelet-client-certificate": f"{client}.crt",
            "kubelet-client-key": f"{client}.key",
            "kubelet-preferred-address-types": "InternalIP",
            "allow-privileged": "true",
        }

    def _controllers(self) -> dict[str, str | None]:
        return {
            "kubeconfig": str(self.folder / "controllers.kubeconfig"),
            "leader-elect": "false",
            "root-ca-file": str(self.folder / "api.crt"),
            "service-account-private-key-file": str(self.folder / "api.key"),
            "node-monitor-period": "1s",
            "node-monitor-grace-period": "16s",  # four leases missed: nodes share two cores with the tests
            "secure-port": "0",
        }

    def _scheduler(self) -> dict[str, str | None]:
        return {
            "kubeconfig": str(self.folder / "scheduler.kubeconfig"),
            "leader-elect": "false",
            "secure-port": "0",
        }
