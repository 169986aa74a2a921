"""What breaks around a job that runs: servers, nodes, kernels. The job goes on, or says why it didn't."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import NodeFailed
from jupyter_hpc.model.states import JobState
from tests.clusters.kubernetes.fixtures import Kubernetes
from tests.faults.occurrences import shows
from tests.faults.road import events, submit, until
from tests.kubernetes.access import NAMESPACE, Admin
from tests.kubernetes.conftest import Gate, Targets

SLOW_S = 180
LINES = "".join(f"line {i}\\n" for i in range(20))


def is_ready(job: Job) -> Job:
    job.wait(0)  # follow it
    until(lambda: "ready" in job.logs(), f"the cell prints: {job}", SLOW_S)
    return job


def came_whole(job: Job) -> None:
    assert job.wait(SLOW_S), job
    assert (job.state, job.result()["x"]) == (JobState.COMPLETED, 1)
    assert job.logs() == "ready\nover\n"


def test_the_api_server_is_killed_and_comes_back(gate: Gate, kubernetes: Kubernetes) -> None:
    job = is_ready(submit(gate.cell(), gate.target))
    kubernetes.own.kill("kube-apiserver")
    gate.open()  # the cell ends while nobody can be asked
    kubernetes.own.start("kube-apiserver")
    kubernetes.own.wait_ready()
    came_whole(job)


def test_the_kubelet_is_killed_and_comes_back(gate: Gate, kubernetes: Kubernetes) -> None:
    job = is_ready(submit(gate.cell(), gate.target, patch="{spec: {nodeName: node1}}"))
    kubernetes.own.kill("kubelet-node1")
    gate.open()
    kubernetes.own.start("kubelet-node1")
    kubernetes.own.wait_ready()
    came_whole(job)


def test_the_kernel_is_killed_and_another_takes_over(gate: Gate, targets: Targets) -> None:
    """The result waits in the pod's log; nobody followed the job while it ran."""
    script = (
        "import os, signal\nfrom tests.faults.road import submit\n"
        f"print(submit({gate.cell()!r}, {gate.target!r}).run.path, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == -9, done.stderr
    gate.open()
    came_whole(Job._from_path(Path(done.stdout.strip())))


def test_a_large_result_waits_for_the_next_kernel(gate: Gate, targets: Targets) -> None:
    cell = gate.cell(after="x = bytes(3 << 20)")
    script = (
        "import os, signal\nfrom tests.faults.road import submit\n"
        f"print(submit({cell!r}, {gate.target!r}).run.path, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    gate.open()
    job = Job._from_path(Path(done.stdout.strip()))
    assert job.wait(SLOW_S), job
    assert job.result()["x"] == bytes(3 << 20)


@shows("result-lost")
def test_a_large_result_that_nobody_fetches_is_let_go(
    gate: Gate, targets: Targets, admin: Admin, tmp_path: Path
) -> None:
    target = targets.add("brief", result_hold=2)
    script = (
        "import os, signal\nfrom tests.faults.road import submit\n"
        f"print(submit('x = bytes(3 << 20)', {target!r}).run.path, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    job = Job._from_path(Path(done.stdout.strip()))

    def pod_is_over() -> bool:
        query = {"labelSelector": f"jupyter-hpc/run={job.id}"}
        pods = admin("GET", f"/api/v1/namespaces/{NAMESPACE}/pods", query=query)["items"]
        return bool(pods) and pods[0]["status"]["phase"] in ("Succeeded", "Failed")

    until(pod_is_over, "the pod ends by itself", SLOW_S)
    assert job.wait(SLOW_S)
    assert job.state is JobState.LOST
    assert "nobody fetched it in the 2 s" in job.reason
    assert job.verdict["cause"] == "result-lost"


@contextmanager
def drained(kubectl: Callable[..., str]) -> Iterator[None]:
    """No new pods on node2, and its own are evicted."""
    try:
        kubectl("drain", "node2", "--force", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s")
        yield
    finally:
        kubectl("uncordon", "node2")


def test_a_drained_nodes_job_says_so(gate: Gate, two_nodes: Kubernetes, kubectl: Callable[..., str]) -> None:
    job = is_ready(submit(gate.cell(), gate.target, patch="{spec: {nodeName: node2}}"))
    with drained(kubectl):
        assert job.wait(SLOW_S), job
    assert type(job.outcome().error) is NodeFailed
    assert "drained" in job.reason


def on_node2_if_it_can(gate: Gate) -> Job:
    """Start a job on node2 that may run once more, and wait until it runs."""
    prefer = {
        "weight": 1,
        "preference": {
            "matchExpressions": [
                {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node2"]},
            ]
        },
    }
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [prefer]}}
    job = is_ready(submit(gate.cell(), gate.target, patch=json.dumps({"spec": {"affinity": affinity}}), retries=1))
    assert events(job, "started")[0]["node"] == "node2"
    return job


def ran_again_once(job: Job) -> None:
    assert job.result()["x"] == 1
    assert [e["node"] for e in events(job, "started")] == ["node2", "node1"]


def test_a_drained_nodes_job_runs_again_and_its_result_is_single(
    gate: Gate, two_nodes: Kubernetes, kubectl: Callable[..., str]
) -> None:
    job = on_node2_if_it_can(gate)
    with drained(kubectl):
        until(lambda: len(events(job, "started")) == 2, "it starts again", SLOW_S)
        gate.open()
        assert job.wait(SLOW_S), job
    ran_again_once(job)


@pytest.mark.campaign
def test_a_lost_nodes_job_runs_again_and_its_result_is_single(gate: Gate, two_nodes: Kubernetes) -> None:
    """The kubelet dies for good: after the target's toleration the pod is replaced on the other node."""
    job = on_node2_if_it_can(gate)
    two_nodes.own.kill("kubelet-node2")
    try:
        until(lambda: len(events(job, "started")) == 2, "it starts again", SLOW_S)
        gate.open()
        assert job.wait(SLOW_S), job
    finally:
        two_nodes.own.start("kubelet-node2")
        two_nodes.own.wait_ready()
    ran_again_once(job)
