"""Somebody who may do everything, and users who may do what the documented Role says and no more."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_hpc.backends.kubernetes import rights
from jupyter_hpc.backends.kubernetes.client import ApiError, Client
from jupyter_hpc.runtime import portal

NAMESPACE = "lab"


class Admin:
    """Requests with all rights."""

    def __init__(self, kubeconfig: Path) -> None:
        self._client = Client({"kubeconfig": str(kubeconfig)})

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        return portal.call(self._client.request(method, path, body, **options), 60)

    def ensure(self, path: str, body: dict[str, Any]) -> None:
        """Create an object unless it is there."""
        try:
            self("POST", path, body)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise

    def close(self) -> None:
        portal.call(self._client.close(), 10)


def bind(
    admin: Admin, user: str, role: dict[str, Any] | None = None, namespace: str = NAMESPACE, binding: str = ""
) -> None:
    """Let a user do what the documented Role says (or another one), in a namespace."""
    role = role or rights.role(namespace)
    name = role["metadata"]["name"]
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    admin.ensure("/api/v1/namespaces", {"metadata": {"name": namespace}})
    admin.ensure(f"{path}/roles", role)
    body = {
        "metadata": {"name": binding or f"{user}-{name}", "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }
    admin.ensure(f"{path}/rolebindings", body)


@contextmanager
def claim_of(admin: Admin, folder: Path) -> Iterator[str]:
    """A claim in our namespace on a volume that is a folder of this machine; yields its name."""
    folder.mkdir(exist_ok=True)
    name = f"folder-{uuid.uuid4().hex[:8]}"  # one that is being deleted stays as long as a pod has it
    size = {"storage": "1Gi"}
    common = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    volume = {**common, "capacity": size, "hostPath": {"path": str(folder)}}
    admin("POST", "/api/v1/persistentvolumes", {"metadata": {"name": name}, "spec": volume})
    claim = {**common, "resources": {"requests": size}, "volumeName": name}
    path = f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims"
    admin("POST", path, {"metadata": {"name": name}, "spec": claim})
    yield name
    admin("DELETE", f"{path}/{name}")
    admin("DELETE", f"/api/v1/persistentvolumes/{name}")
