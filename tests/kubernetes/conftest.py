"""The cluster as a target of this process, with run directories and configuration of its own."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clusters.kubernetes.fixtures import Kubernetes
from tests.kubernetes.access import NAMESPACE, Admin, bind


@pytest.fixture(scope="session")
def admin(kubernetes: Kubernetes) -> Iterator[Admin]:
    """Requests of somebody who may do everything."""
    found = Admin(kubernetes.kubeconfig)
    found.ensure("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    yield found
    found.close()


class Targets:
    """The configuration that this process reads; ``k8s`` is the cluster as an ordinary user has it."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self._file = folder / "jupyter_hpc_config.json"
        self.settings = settings
        self._targets: dict[str, dict[str, Any]] = {}
        self.add("k8s")

    def add(self, name: str, **settings: Any) -> str:
        """Add a target with further settings and return its name."""
        self._targets[name] = {"backend": "kubernetes", **self.settings, **settings}
        self._file.write_text(json.dumps({"JupyterHPC": {"targets": self._targets}}))
        return name


def isolate(patch: pytest.MonkeyPatch, base: Path) -> None:
    """Keep this process out of the user's files, and off the session's Slurm."""
    for name in [n for n in os.environ if n.startswith(("SLURM", "SBATCH", "JUPYTER"))]:
        patch.delenv(name)
    folders = {"JUPYTER_HPC_ROOT": "root", "JUPYTER_DATA_DIR": "data", "JUPYTER_CONFIG_DIR": "config"}
    for name, folder in {**folders, "JUPYTER_RUNTIME_DIR": "runtime", "IPYTHONDIR": "ipython"}.items():
        patch.setenv(name, str(base / folder))


@pytest.fixture(scope="module")
def targets(kubernetes: Kubernetes, admin: Admin) -> Iterator[Targets]:
    """The targets; nothing here touches the user's own files."""
    base = Path(tempfile.mkdtemp(prefix="jh", dir="/tmp"))
    settings = {"kubeconfig": str(kubernetes.kubeconfig), "namespace": NAMESPACE, "image": kubernetes.image}
    if kubernetes.practice is not None:
        bind(admin, "alice")
        settings["kubeconfig"] = str(kubernetes.practice.kubeconfig("alice"))
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, base)
        (base / "config").mkdir()
        yield Targets(base / "config", settings)
    shutil.rmtree(base, ignore_errors=True)


@dataclass(frozen=True)
class Gate:
    """A folder that the pods see too: a cell waits there until it is let through."""

    folder: Path
    target: str
    settings: dict[str, Any]  # what a target of one's own needs for it

    def cell(self, before: str = "", after: str = "x = 1") -> str:
        waits = f"import os, time\nwhile not os.path.exists({str(self.folder / 'open')!r}): time.sleep(0.05)\n"
        return f"{before}\nprint('ready', flush=True)\n{waits}{after}\nprint('over')"

    def open(self) -> None:
        (self.folder / "open").touch()


@pytest.fixture
def gate(targets: Targets, kubernetes: Kubernetes, repaired: None, tmp_path: Path) -> Gate:
    assert kubernetes.own
    volume = {"hostPath": {"path": str(tmp_path)}, "mountPath": str(tmp_path)}
    settings = {"volumes": [volume]}
    return Gate(tmp_path, targets.add("gated", node_loss_toleration=5, **settings), settings)
