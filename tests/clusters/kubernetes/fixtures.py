"""The Kubernetes that tests run on: one of our own, or the one that KUBECONFIG names."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_hpc.practice import kubernetes as practice
from jupyter_hpc.practice.kubernetes import binaries as build
from jupyter_hpc.practice.kubernetes import images

from .components import KUBECTL, KUEUE, S3, VERSITYGW, Kueue, Program
from .foreign import service_account

GPUS = 2
_HOW = "make kubernetes builds it, or name a cluster with KUBECONFIG and an image with JUPYTER_HPC_TEST_IMAGE"


@dataclass(frozen=True)
class Kubernetes:
    """A cluster, the images it can run, and what of it a test can break.

    Parameters
    ----------
    kubeconfig : Path
        Of somebody who may do everything.
    image : str
        Has the tests' Python and, in a cluster of our own, nothing else.
    image_with_packages : str
        Has numpy and the like too.
    gpus : int
        How many the cluster has for sure.
    practice : Cluster, optional
        The cluster of our own: kills and starts its programs by name, adds a node.
    folder : Path
        Where a test may leave files until the end of the session.
    """

    kubeconfig: Path
    image: str
    image_with_packages: str
    gpus: int
    practice: practice.Cluster | None
    folder: Path

    def user(self, name: str = "alice") -> tuple[Path, dict[str, str]]:
        """The kubeconfig of somebody without rights, and the subject that a RoleBinding has to name for some."""
        if self.practice is not None:
            subject = {"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
            return self.practice.kubeconfig(name), subject
        subject = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
        return service_account(self.kubeconfig, name, "default", self.folder), subject

    @property
    def own(self) -> practice.Cluster:
        """The cluster of our own; a test that needs one doesn't run on another."""
        if self.practice is None:
            pytest.skip("breaks the cluster, which is KUBECONFIG's and not ours to break")
        return self.practice


def why_not() -> str | None:
    """Why there is no Kubernetes for the tests; None if there is."""
    if os.environ.get("KUBECONFIG"):
        if os.environ.get("JUPYTER_HPC_TEST_IMAGE"):
            return None
        return "KUBECONFIG names a cluster, but JUPYTER_HPC_TEST_IMAGE no image that it can run"
    problem = practice.obstacle()
    if problem is not None:
        return f"no Kubernetes here: {problem.message} {problem.hint}"
    return None if build.servers_built() else f"Kubernetes isn't built yet: {_HOW}"


def need_kubernetes() -> None:
    """Skip with the reason where there is no Kubernetes; in continuous integration that is a failure."""
    _need(why_not())


def _need(reason: str | None) -> None:
    if reason:
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


def _need_program(program: Program) -> None:
    _need(None if program.is_built() else f"{program.name} isn't built yet: {_HOW}")


@pytest.fixture(scope="session")
def kubernetes() -> Iterator[Kubernetes]:
    """A running Kubernetes with GPUs."""
    need_kubernetes()
    directory = Path(tempfile.mkdtemp(prefix="jk", dir="/tmp"))  # short: sockets lie below it
    try:
        if os.environ.get("KUBECONFIG"):
            image, gpus = (
                os.environ["JUPYTER_HPC_TEST_IMAGE"],
                int(os.environ.get("JUPYTER_HPC_TEST_GPUS", "0")),
            )
            yield Kubernetes(Path(os.environ["KUBECONFIG"]), image, image, gpus, None, directory)
        else:
            own = practice.up(directory, gpus=(GPUS,), owner=os.getpid(), say=lambda _: None)
            yield Kubernetes(own.kubeconfig(), images.PYTHON, images.PACKAGES, GPUS, own, directory)
    finally:
        practice.down(directory)
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def repaired(kubernetes: Kubernetes) -> None:
    """For tests that kill parts of the cluster: what one that failed left dead runs again before the next."""
    own = kubernetes.own
    dead = [name for name in own.dead() if name.startswith("kube")] if own else []
    for name in dead:
        own.start(name)
    if dead:
        own.wait_ready()


@pytest.fixture(scope="session")
def two_nodes(kubernetes: Kubernetes) -> Kubernetes:
    """The same cluster with a second node, which has no GPUs. Costs some ten seconds once."""
    if len(kubernetes.own.nodes) == 1:
        kubernetes.own.add_node()
    return kubernetes


@pytest.fixture(scope="session")
def kueue(kubernetes: Kubernetes) -> Iterator[Kueue]:
    """Kueue's controller on the cluster of our own."""
    running = Kueue(kubernetes.own)
    _need_program(KUEUE)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def s3(kubernetes: Kubernetes) -> Iterator[S3]:
    """An S3 gateway with the bucket ``runs``, at one address for tests and pods."""
    running = S3(kubernetes.own)
    _need_program(VERSITYGW)
    running.start("runs")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def kubectl(kubernetes: Kubernetes) -> Callable[..., str]:
    """Runs kubectl as somebody who may do everything, and returns what it printed."""
    _need_program(KUBECTL)
    base = [str(KUBECTL.path()), f"--kubeconfig={kubernetes.kubeconfig}"]

    def run(*words: str) -> str:
        done = subprocess.run([*base, *words], capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    return run
