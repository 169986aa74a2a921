"""A container's log that its kubelet rotates away while nobody reads it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.states import JobState
from tests.clusters.kubernetes.fixtures import Kubernetes
from tests.faults.road import until
from tests.kubernetes.access import NAMESPACE, Admin
from tests.kubernetes.conftest import Gate

SLOW_S = 180
LINES = 4000
WHOLE = "".join(f"line {i} {'x' * 80}\n" for i in range(LINES))
PRINTS = f"import sys\nfor i in range({LINES}): print('line', i, 'x' * 80)\nsys.stdout.flush()\n"


@pytest.fixture
def small_logs(kubernetes: Kubernetes) -> Iterator[None]:
    """A kubelet that keeps little of a log: it looks every ten seconds, and begins a new file at 64 KiB."""
    own = kubernetes.own
    file = own.machine.folder / "node1" / "kubelet.json"
    before = file.read_text()
    file.write_text(json.dumps({**json.loads(before), "containerLogMaxSize": "64Ki"}))
    _restart(kubernetes)
    yield
    file.write_text(before)
    _restart(kubernetes)


def _restart(kubernetes: Kubernetes) -> None:
    kubernetes.own.kill("kubelet-node1")
    kubernetes.own.start("kubelet-node1")
    kubernetes.own.wait_ready()


def leave(gate: Gate) -> Job:
    """Submit a cell that prints much and waits at the gate, from a kernel that dies; return its job, unfollowed."""
    cell = gate.cell(before=PRINTS)
    script = (
        "import os, signal\nfrom tests.faults.road import submit\n"
        f"print(submit({cell!r}, {gate.target!r}, patch='{{spec: {{nodeName: node1}}}}').run.path, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == -9, done.stderr
    return Job._from_path(Path(done.stdout.strip()))


def is_rotated(kubernetes: Kubernetes, job: Job) -> bool:
    """Whether the kubelet has begun a new file; the one before it is in the same folder."""
    logs = kubernetes.own.machine.folder / "node1"
    return any(len(list(place.glob("*.log*"))) > 1 for place in logs.glob(f"**/*{job.id}*/cell"))


def test_what_was_rotated_away_is_fetched_from_a_pod_that_lives(
    small_logs: None, gate: Gate, kubernetes: Kubernetes
) -> None:
    job = leave(gate)
    until(lambda: is_rotated(kubernetes, job), "its log is rotated", SLOW_S)
    job.wait(0)
    until(lambda: "ready" in job.logs(), f"all has come: {job}", SLOW_S)
    assert job.logs() == f"{WHOLE}ready\n"
    gate.open()
    assert job.wait(SLOW_S), job
    assert (job.result()["x"], job.logs()) == (1, f"{WHOLE}ready\nover\n")


def test_what_was_rotated_away_is_said_when_the_pod_has_ended(
    small_logs: None, gate: Gate, kubernetes: Kubernetes, admin: Admin
) -> None:
    job = leave(gate)
    until(lambda: is_rotated(kubernetes, job), "its log is rotated", SLOW_S)
    gate.open()

    def pod_is_over() -> bool:
        query = {"labelSelector": f"jupyter-hpc/run={job.id}"}
        pods = admin("GET", f"/api/v1/namespaces/{NAMESPACE}/pods", query=query)["items"]
        return bool(pods) and pods[0]["status"]["phase"] in ("Succeeded", "Failed")

    until(pod_is_over, "the pod ends by itself", SLOW_S)
    assert job.wait(SLOW_S), job
    assert (job.state, job.result()["x"]) == (JobState.COMPLETED, 1)
    said = job.logs()
    assert "bytes of the log are lost: the node has rotated them away" in said
    assert said.endswith("over\n")
    assert "line 0 " not in said
