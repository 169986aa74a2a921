"""A job whose place is given to one of a higher priority, by the real schedulers: it ends as on Slurm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import Preempted
from jupyter_hpc.model.states import JobState
from tests.clusters.kubernetes.components import Kueue
from tests.faults.occurrences import shows
from tests.faults.road import submit, until
from tests.kubernetes.access import NAMESPACE, Admin
from tests.kubernetes.conftest import Targets
from tests.kubernetes.test_failures import SLOW_S, WAITS, ended, saved

CLASSES = {"hpc-test-low": 100, "hpc-test-high": 100_000}


@pytest.fixture
def priorities(targets: Targets, admin: Admin) -> Iterator[tuple[str, str]]:
    """Two targets: the pods of one go before those of the other."""
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    for name, value in CLASSES.items():
        admin.ensure(path, {"metadata": {"name": name}, "value": value})
    low, high = CLASSES
    yield targets.add("low", priority_class=low), targets.add("high", priority_class=high)
    for name in CLASSES:
        admin("DELETE", f"{path}/{name}")


def most_of_a_node(admin: Admin) -> str:
    """A patch that asks for more than half of the largest node's cpus, so that no two of them fit on one."""
    nodes: list[dict[str, Any]] = admin("GET", "/api/v1/nodes")["items"]
    cpus = [node["status"]["allocatable"]["cpu"] for node in nodes]
    most = max(int(c[:-1]) if c.endswith("m") else 1000 * int(c) for c in cpus)
    resources = {"requests": {"cpu": f"{most * 6 // 10}m"}}
    name = nodes[0]["metadata"]["name"]
    container = {"name": "cell", "resources": resources}
    return json.dumps(
        {
            "spec": {"containers": [container], "nodeSelector": {"kubernetes.io/hostname": name}},
        }
    )


def is_preempted(job: Job, evidence: str) -> None:
    """The row of the table, as Slurm's preempted jobs have it."""
    error = ended(job, "preempted")
    assert type(error) is Preempted
    assert job.state is JobState.PREEMPTED
    assert "higher priority" in error.message
    assert job.verdict["again"] == ""
    assert "--retries" in error.hint
    assert evidence in "\n".join(error.evidence)
    assert saved(job) == 41


@contextmanager
def outranked(job: Job, **options: Any) -> Iterator[None]:
    """Once it runs, submit one that needs its place."""
    until(lambda: "ready" in job.logs(), f"the cell prints: {job}", SLOW_S)
    other = submit("x = 1", **options)
    yield
    assert other.wait(SLOW_S), other
    assert other.result()["x"] == 1


@shows("preempted")
def test_the_scheduler_preempts_it(priorities: tuple[str, str], admin: Admin) -> None:
    low, high = priorities
    patch = most_of_a_node(admin)
    job = submit(WAITS, low, patch=patch)
    with outranked(job, on=high, patch=patch):
        is_preempted(job, "PreemptionByScheduler")


@contextmanager
def preempting_queue(kueue: Kueue, admin: Admin) -> Iterator[str]:
    """A queue with quota for one gpu, in which a higher priority takes a lower one's."""
    name = "preempting"
    kueue.make_queue(name, gpus=1, namespace=NAMESPACE)
    path = f"/apis/kueue.x-k8s.io/v1beta1/clusterqueues/{name}"
    preemption = {"spec": {"preemption": {"withinClusterQueue": "LowerPriority"}}}
    admin("PATCH", path, preemption, kind="application/merge-patch+json")
    yield name
    admin("DELETE", f"/apis/kueue.x-k8s.io/v1beta1/namespaces/{NAMESPACE}/localqueues/{name}")


def test_kueue_preempts_it(priorities: tuple[str, str], kueue: Kueue, admin: Admin) -> None:
    """Kueue suspends its Job, and would start it anew when there is room: that Job goes, nobody would hear of it."""
    low, high = priorities
    with preempting_queue(kueue, admin) as queue:
        job = submit(WAITS, low, gpus=1, queue=queue)
        with outranked(job, on=high, gpus=1, queue=queue):
            is_preempted(job, "Preempted")
        jobs = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
        names = [item["metadata"]["name"] for item in admin("GET", jobs)["items"]]
        assert job.native_id.partition("/")[2] not in names
