"""The contract's notebook, once for each cluster of this repository's tests; the suite is `jupyter_hpc.testing.contract`.

By default a plain user's kernel stands for the full Slurm, as it differs most from the practice cluster, which is
used as whoever runs the tests; ``make test-slurm`` takes all. ``JUPYTER_HPC_TEST_TARGETS=name,…`` names others. For a
target of one's own there is ``pytest --jupyter-hpc-target=mine``.
``slurm-pyslurm`` is the practice Slurm through pyslurm: the one that is installed, else a stand-in.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_hpc.testing.notebook import Notebook
from tests.clusters.kubernetes.fixtures import Kubernetes
from tests.clusters.slurm.cluster import FullSlurm
from tests.conftest import Sandbox
from tests.kubernetes.access import NAMESPACE, Admin, bind

pytest.register_assert_rewrite("jupyter_hpc.testing.contract")
TARGETS = os.environ.get("JUPYTER_HPC_TEST_TARGETS", "local,slurm,full-as-alice,k8s").split(",")
_SITES = {  # a whole Slurm's release ("" for the installed one), and who runs the kernel
    "full": ("", "root"),
    "full-as-alice": ("", "alice"),
    "slurm-24": ("24.11", "root"),
    "slurm-24-as-alice": ("24.11", "alice"),
}


@pytest.fixture(scope="session", params=TARGETS)
def kernel(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Notebook]:
    target = request.param
    if target in _SITES:
        release, user = _SITES[target]
        notebook = of_user(request.getfixturevalue("site")(release), user)
    else:
        environment = dict(sandbox.environment)
        if target == "slurm":
            request.getfixturevalue("practice_slurm")
        elif target == "slurm-pyslurm":
            environment |= through_pyslurm(sandbox, request.getfixturevalue("practice_slurm"))
        elif target == "k8s":
            configure_kubernetes(request.getfixturevalue("kubernetes"), environment, sandbox.directory)
        elif target != "local":
            raise pytest.UsageError(f"no cluster of these tests is called {target}: --jupyter-hpc-target={target}?")
        directory = sandbox.directory / f"n{TARGETS.index(target)}"
        directory.mkdir()
        notebook = Notebook(target, environment, directory)
    yield notebook
    notebook.stop()
    if target == "slurm-pyslurm":  # or the commands did it all
        assert any(Path(environment["JUPYTER_HPC_ROOT"]).glob("runs/*/job.pyslurm.sh"))


def configure_kubernetes(cluster: Kubernetes, environment: dict[str, str], folder: Path) -> None:
    """Make the cluster the ``k8s`` target; pods see the notebooks' folder, where flags are set, and no run directory."""
    settings = {
        "kubeconfig": str(cluster.kubeconfig),
        "image": cluster.image_with_packages,
        "volumes": [{"hostPath": {"path": str(folder)}, "mountPath": str(folder)}],
    }
    if cluster.practice is not None:  # as a user who has the documented Role and nothing else
        admin = Admin(cluster.kubeconfig)
        bind(admin, "alice")
        admin.close()
        settings.update(kubeconfig=str(cluster.practice.kubeconfig("alice")), namespace=NAMESPACE)
    config = folder / "config-k8s"
    config.mkdir()
    record = {"JupyterHPC": {"targets": {"k8s": {"backend": "kubernetes", **settings}}}}
    (config / "jupyter_hpc_config.json").write_text(json.dumps(record))
    environment["JUPYTER_CONFIG_DIR"] = str(config)


def through_pyslurm(sandbox: Sandbox, cluster: Path) -> dict[str, str]:
    """Configure the target; return what a kernel's environment needs so that pyslurm is found."""
    folder = sandbox.directory / "pyslurm"
    folder.mkdir()
    targets = {"slurm-pyslurm": {"backend": "slurm", "conf": str(cluster / "slurm.conf")}}
    (folder / "jupyter_hpc_config.json").write_text(json.dumps({"JupyterHPC": {"targets": targets}}))
    own = {"JUPYTER_CONFIG_DIR": str(folder), "JUPYTER_HPC_ROOT": str(folder / "hpc")}
    if importlib.util.find_spec("pyslurm") is None:
        own["PYTHONPATH"] = str(Path(__file__).parents[1] / "slurm" / "standin")
    return own


def of_user(cluster: FullSlurm, user: str) -> Notebook:
    """A notebook of one of the full Slurm's users, in the user's home."""
    directory = cluster.home(user) / "n"
    cluster.run(user, "mkdir", str(directory))
    return Notebook("slurm", cluster.environment(user), directory, around=cluster.argv(user))
