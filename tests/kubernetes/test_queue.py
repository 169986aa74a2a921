"""A real Kueue: who waits says why, who is cancelled leaves the queue, and they run one after the other."""

from __future__ import annotations

import pytest

from jupyter_hpc.model.exceptions import JobCancelled
from jupyter_hpc.model.states import JobState
from tests.clusters.kubernetes.components import Kueue
from tests.faults.road import submit, until
from tests.kubernetes.access import NAMESPACE, Admin
from tests.kubernetes.conftest import Gate, Targets

SLOW_S = 200


@pytest.fixture
def queue(kueue: Kueue, admin: Admin) -> str:
    """A queue with quota for one gpu."""
    kueue.make_queue("team", gpus=1, namespace=NAMESPACE)
    return "team"


def test_three_cells_on_a_queue_for_one(gate: Gate, queue: str) -> None:
    first = submit(gate.cell(), gate.target, gpus=1, queue=queue)
    until(lambda: first.wait(0) or "ready" in first.logs(), "the first runs", SLOW_S)
    second = submit("x = 2", "k8s", gpus=1, queue=queue)
    third = submit("x = 3", "k8s", gpus=1, queue=queue)
    reason = str(until(lambda: "more needed" in second.reason and second.reason, "Kueue says why", SLOW_S))
    assert "nvidia.com/gpu" in reason
    assert second.state is JobState.PENDING
    third.cancel()
    assert third.wait(SLOW_S)
    assert type(third.outcome().error) is JobCancelled
    gate.open()
    assert first.wait(SLOW_S)
    assert second.wait(SLOW_S)
    assert (first.result()["x"], second.result()["x"]) == (1, 2)
    ended, began = first.status.ended_at, second.status.started_at
    assert ended is not None
    assert began is not None
    assert began >= ended


def test_a_queue_that_is_not_there_is_said(targets: Targets, queue: str) -> None:
    job = submit("x = 1", "k8s", queue="no-such-queue")
    until(lambda: "queue" in job.reason, "why it waits", SLOW_S)
    job.cancel()
    assert job.wait(SLOW_S)
