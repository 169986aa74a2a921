"""What Kubernetes writes (as it was seen), and what it is taken to mean."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_hpc.backends.kubernetes.client import ApiError
from jupyter_hpc.backends.kubernetes.objects import Seen, quantity
from jupyter_hpc.backends.kubernetes.reasons import explain
from jupyter_hpc.backends.kubernetes.refusals import refusal
from jupyter_hpc.model.states import JobState

JOB = {"metadata": {"name": "j", "uid": "u"}, "spec": {"backoffLimit": 0}, "status": {}}
LONG_AGO = "2026-01-01T00:00:00Z"


def pod(phase: str, state: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    container = [{"name": "cell", "image": "localhost/x:1", "state": state}] if state else []
    requests = {"nvidia.com/gpu": "3"}
    spec = {
        "nodeName": "n1",
        "containers": [{"name": "cell", "image": "localhost/x:1", "resources": {"requests": requests}}],
    }
    return {
        "metadata": {"name": "p", "uid": "q"}, "spec": spec,
        "status": {"phase": phase, "containerStatuses": container, **status},
    }  # fmt: skip


def said(*pods: dict[str, Any], job: dict[str, Any] | None = JOB, **more: Any):
    return explain(Seen(job, pods, now=2e9, **more))


def waiting(word: str, message: str = "", since: str = "") -> dict[str, Any]:
    conditions = [{"type": "PodScheduled", "status": "True", "lastTransitionTime": since}]
    return pod("Pending", {"waiting": {"reason": word, "message": message}}, conditions=conditions)


def terminated(phase: str, **ended: Any) -> dict[str, Any]:
    return pod(phase, {"terminated": ended})


def test_a_job_without_a_pod_waits():
    assert said().state is JobState.PENDING


def test_a_job_that_nobody_knows_is_unknown():
    assert said(job=None).state is None


def test_a_job_that_was_deleted_is_cancelled():
    assert said(job=None, was_deleted=True).state is JobState.CANCELLED


def test_gpus_that_no_node_has_are_named_with_what_there_is():
    message = (
        "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. no new claims to deallocate, "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )
    waits = pod(
        "Pending",
        conditions=[
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        ],
    )
    node = {"metadata": {"name": "n1"}, "status": {"allocatable": {"nvidia.com/gpu": "2"}}}
    found = said(waits, nodes=[node])
    assert (found.state, found.native_state) == (JobState.PENDING, "Unschedulable")
    assert "nvidia.com/gpu (3 asked, and the largest node has 2)" in found.reason
    assert "ask for less" in found.hint
    assert "nvidia.com/gpu (3 asked)" in said(waits).reason


def test_taints_are_shown_in_the_schedulers_words():
    message = (
        "0/2 nodes are available: 2 node(s) had untolerated taint(s). preemption: 0/2 nodes are available"
    )
    waits = pod(
        "Pending",
        conditions=[
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        ],
    )
    assert "2 node(s) had untolerated taint(s)" in said(waits).reason


@pytest.mark.parametrize("word", ["ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError"])
def test_what_somebody_may_still_put_right_waits_with_its_reason(word: str):
    found = said(waiting(word, "the reason"))
    assert (found.state, "the reason" in found.reason, bool(found.hint)) == (JobState.PENDING, True, True)


@pytest.mark.parametrize("word", ["ImagePullBackOff", "CreateContainerConfigError"])
def test_and_fails_when_nobody_did(word: str):
    found = said(waiting(word, "secret not found", LONG_AGO))
    assert (found.state, found.error) == (JobState.FAILED, "EnvironmentMismatch")


@pytest.mark.parametrize("word", ["ErrImageNeverPull", "InvalidImageName"])
def test_what_can_never_start_fails_at_once(word: str):
    found = said(waiting(word, "m"))
    assert (found.state, "image" in found.reason) == (JobState.FAILED, True)


def test_out_of_memory_is_its_own_state():
    assert said(terminated("Failed", exitCode=137, reason="OOMKilled")).state is JobState.OUT_OF_MEMORY


def test_an_image_without_python_is_named():
    message = (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
        'failed: unable to start container process: exec: "python3": executable file not found in $PATH: unknown'
    )
    found = said(
        terminated(
            "Failed", exitCode=128, reason="StartError", startedAt="1970-01-01T00:00:00Z", message=message
        )
    )
    assert found.reason == "the image has no python3 (executable file not found in $PATH)"
    assert found.started_at is None
    assert "--python" in found.hint


def test_a_quota_that_is_used_up_is_seen_in_the_jobs_events():
    message = 'Error creating: pods "j-x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2'
    found = said(events=[{"reason": "FailedCreate", "message": message}])
    assert found.reason == "the namespace's quota small is used up: pods=1 asked, pods=2 used of pods=2"


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("PreemptionByScheduler", JobState.PREEMPTED),
        ("EvictionByEvictionAPI", JobState.NODE_FAIL),
        ("DeletionByTaintManager", JobState.NODE_FAIL),
    ],
)
def test_a_disruption_is_no_failure_of_the_cell(word: str, state: JobState):
    condition = {"type": "DisruptionTarget", "status": "True", "reason": word}
    found = said(
        {**terminated("Failed", exitCode=143), "status": {"phase": "Failed", "conditions": [condition]}}
    )
    assert (found.state, "n1" in found.reason) == (state, True)


def test_an_evicted_pod_says_what_the_node_ran_short_of():
    found = said(pod("Failed", reason="Evicted", message="The node was low on resource: ephemeral-storage."))
    assert found.state is JobState.NODE_FAIL
    assert "ephemeral-storage" in found.reason


def test_a_deadline_is_a_time_limit():
    assert said(pod("Failed", reason="DeadlineExceeded")).state is JobState.TIMEOUT
    failed = {
        **JOB,
        "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]},
    }
    assert said(job=failed).state is JobState.TIMEOUT


def test_while_retries_are_left_a_lost_pod_is_no_end():
    retrying = {**JOB, "spec": {"backoffLimit": 2}}
    found = said(pod("Failed", reason="NodeShutdown"), job=retrying)
    assert (found.state, "runs it again" in found.reason) == (JobState.PENDING, True)


def test_a_running_pod_whose_node_is_silent_says_so():
    silent = pod("Running", {"running": {}}, conditions=[{"type": "Ready", "status": "False"}])
    assert "n1 has stopped answering" in said(silent).reason


def test_kueues_own_reason_is_shown():
    suspended = {**JOB, "spec": {"backoffLimit": 0, "suspend": True}}
    message = "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor default, 1 more needed"
    workload = {
        "spec": {"queueName": "team"},
        "status": {"conditions": [{"type": "QuotaReserved", "status": "False", "message": message}]},
    }
    assert "1 more needed" in said(job=suspended, workload=workload).reason
    assert "is there a queue" in said(job=suspended).reason


def test_a_missing_right_is_named_with_the_role_to_ask_for():
    message = 'jobs.batch is forbidden: User "ada" cannot create resource "jobs" in API group "batch" in the namespace "lab"'
    words, hint = refusal(ApiError(403, message, "Forbidden"))
    assert words == "ada may not create jobs.batch in namespace lab"
    assert "Role" in hint
    assert "token" in refusal(ApiError(401, "Unauthorized"))[0]


def test_quantities():
    assert [quantity(x) for x in ("500m", "4Gi", "2", "")] == [0.5, 4 * 2**30, 2, 0]
