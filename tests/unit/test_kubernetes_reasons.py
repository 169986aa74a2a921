"""What Kubernetes writes (as it was seen), and what it is taken to mean."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.backends.kubernetes.client import ApiError
from jupyter_hpc.backends.kubernetes.objects import Seen, quantity
from jupyter_hpc.backends.kubernetes.reasons import DISRUPTIONS, POD_REASONS, explain
from jupyter_hpc.backends.kubernetes.refusals import refusal
from jupyter_hpc.backends.kubernetes.waits import CAUSES as WAITS
from jupyter_hpc.explain.causes import CAUSES
from jupyter_hpc.explain.verdict import Verdict, judge, why_it_waits
from jupyter_hpc.model.observation import Observation
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.reader import RunReader
from jupyter_hpc.rundir.run import Run, write_json

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
        "metadata": {"name": "p", "uid": "q"},
        "spec": spec,
        "status": {"phase": phase, "containerStatuses": container, **status},
    }


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
        conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}],
    )
    node = {"metadata": {"name": "n1"}, "status": {"allocatable": {"nvidia.com/gpu": "2"}}}
    found = said(waits, nodes=[node])
    assert (found.state, found.native_state) == (JobState.PENDING, "Unschedulable")
    assert "nvidia.com/gpu (3 asked, and the largest node has 2)" in found.reason
    assert "ask for less" in found.hint
    assert "nvidia.com/gpu (3 asked)" in said(waits).reason


def test_taints_are_shown_in_the_schedulers_words():
    message = "0/2 nodes are available: 2 node(s) had untolerated taint(s). preemption: 0/2 nodes are available"
    waits = pod(
        "Pending",
        conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}],
    )
    assert "2 node(s) had untolerated taint(s)" in said(waits).reason


@pytest.mark.parametrize("word", ["ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError"])
def test_what_somebody_may_still_put_right_waits_with_its_reason(word: str):
    found = said(waiting(word, "the reason"))
    assert (found.state, "the reason" in found.reason, bool(found.hint)) == (JobState.PENDING, True, True)


@pytest.mark.parametrize("word", ["ImagePullBackOff", "CreateContainerConfigError"])
def test_and_fails_when_nobody_did(word: str):
    found = said(waiting(word, "secret not found", LONG_AGO))
    assert (found.state, found.cause, found.reason) == (JobState.FAILED, WAITS[word], "secret not found")


@pytest.mark.parametrize("word", ["ErrImageNeverPull", "InvalidImageName"])
def test_what_can_never_start_fails_at_once(word: str):
    found = said(waiting(word, "m"))
    assert (found.state, found.cause) == (JobState.FAILED, WAITS[word])


def test_out_of_memory_is_its_own_state():
    assert said(terminated("Failed", exitCode=137, reason="OOMKilled")).state is JobState.OUT_OF_MEMORY


def test_an_image_without_python_is_named():
    message = (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
        'failed: unable to start container process: exec: "python3": executable file not found in $PATH: unknown'
    )
    found = said(
        terminated("Failed", exitCode=128, reason="StartError", startedAt="1970-01-01T00:00:00Z", message=message)
    )
    assert found.reason == "it has no python3 (executable file not found in $PATH)"
    assert found.started_at is None
    assert found.cause == "image-without-python"
    other = said(terminated("Failed", exitCode=128, reason="ContainerCannotRun", message="no such device"))
    assert (other.cause, other.reason) == ("container-not-started", "no such device")


def test_a_quota_that_is_used_up_is_seen_in_the_jobs_events():
    message = 'Error creating: pods "j-x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2'
    found = said(events=[{"reason": "FailedCreate", "message": message}])
    assert found.reason == "the namespace's quota small is used up: pods=1 asked, pods=2 used of pods=2"


PREEMPTING = "default-scheduler: preempting to accommodate a higher priority pod"


def disrupted(word: str, message: str = "") -> dict[str, Any]:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": word, "message": message}
    return {**terminated("Failed", exitCode=143), "status": {"phase": "Failed", "conditions": [condition]}}


@pytest.mark.parametrize(
    ("word", "state", "cause"),
    [
        ("PreemptionByScheduler", JobState.PREEMPTED, "preempted"),
        ("EvictionByEvictionAPI", JobState.NODE_FAIL, "node-drained"),
        ("DeletionByTaintManager", JobState.NODE_FAIL, "node-tainted"),
        ("DeletionByPodGC", JobState.NODE_FAIL, "node-failed"),
        ("TerminationByKubelet", JobState.NODE_FAIL, "evicted"),
        ("SomebodysOperator", JobState.NODE_FAIL, "evicted"),
    ],
)
def test_a_disruption_is_no_failure_of_the_cell(word: str, state: JobState, cause: str):
    found = said(disrupted(word, "why"))
    assert (found.state, found.cause, found.node) == (state, cause, "n1")
    assert found.evidence == f"pod p: DisruptionTarget, {word}: why"


LOW = "The node was low on resource: "


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (f"{LOW}memory. Container cell was using 5Gi, request is 0", "evicted-for-memory"),
        ("The node had condition: [MemoryPressure]. ", "evicted-for-memory"),
        (f"{LOW}ephemeral-storage.", "evicted-for-storage"),
        (
            "Pod ephemeral local storage usage exceeds the total limit of containers 4Mi. ",
            "evicted-for-storage",
        ),
        ('Usage of EmptyDir volume "run" exceeds the limit "1Gi". ', "evicted-for-storage"),
        ("The node had condition: [PIDPressure]. ", "evicted"),
    ],
)
def test_an_evicted_pod_says_what_the_node_ran_short_of(message: str, cause: str):
    found = said(pod("Failed", reason="Evicted", message=message))
    assert (found.state, found.cause, found.reason) == (JobState.NODE_FAIL, cause, message.strip())


# -- what the table of causes makes of it ----------------------------------------------------------


def verdict_on(folder: Path, seen: Observation, **asked: Any) -> Verdict:
    target = {"name": "k8s", "backend": "kubernetes"}
    record = {"id": "r", "target": target, "code": {}, "spec": {"resources": asked}}
    run = Run(folder)
    write_json(run.path / "record.json", record)
    found = judge(RunReader(run), seen)
    assert found is not None
    return found


def test_a_preempted_pod_is_preempted_as_a_job_of_slurms_is(tmp_path: Path):
    found = verdict_on(tmp_path, said(disrupted("PreemptionByScheduler", PREEMPTING)))
    assert (found.state, found.error, found.cause) == (JobState.PREEMPTED, "Preempted", "preempted")
    assert found.message == "A job with a higher priority took its place."
    assert found.evidence == (f"pod p: DisruptionTarget, PreemptionByScheduler: {PREEMPTING}",)
    assert found.again == ""
    assert found.hint == "Run the cell again to submit it anew. `--retries N` lets Kubernetes start it again by itself."


EVICTED = {"reason": "Evicted", "message": f"{LOW}memory."}


@pytest.mark.parametrize(
    ("seen", "cause", "error", "words", "hint"),
    [
        (pod("Failed", **EVICTED), "evicted-for-memory", "NodeFailed", r"n1 ran short of memory", "`--mem 6G`"),
        (
            pod("Failed", reason="Evicted", message="EmptyDir volume"),
            "evicted-for-storage",
            "NodeFailed",
            "n1 evicted the job for the disk that it used: EmptyDir volume",
            "--patch",
        ),
        (disrupted("TerminationByKubelet", "pids"), "evicted", "NodeFailed", "n1 evicted the job: pids", "--retries"),
        (disrupted("EvictionByEvictionAPI"), "node-drained", "NodeFailed", "n1 is being drained", "--retries"),
        (disrupted("DeletionByTaintManager"), "node-tainted", "NodeFailed", "n1 stopped answering", "--retries"),
        (disrupted("DeletionByPodGC"), "node-failed", "NodeFailed", "n1 failed", "--retries"),
        (pod("Failed", reason="NodeShutdown"), "node-shutdown", "NodeFailed", "n1 was shut down", "--retries"),
        (pod("Failed", reason="Terminated"), "node-shutdown", "NodeFailed", "n1 was shut down", "--retries"),
        (pod("Failed", reason="Preempting"), "preempted", "Preempted", "higher priority", "--retries"),
        (
            pod("Failed", reason="OutOfcpu", message="Node didn't have enough resource: cpu"),
            "not-admitted",
            "NodeFailed",
            "n1 could not give the job what was promised: Node didn't have enough resource: cpu",
            "again",
        ),
        (pod("Failed", reason="UnexpectedAdmissionError"), "not-admitted", "NodeFailed", "n1 could not", "again"),
        (pod("Failed", reason="DeadlineExceeded"), "active-deadline", "TimeLimitExceeded", "longer", "--time"),
        (
            terminated("Failed", exitCode=137, reason="OOMKilled"),
            "out-of-memory-cgroup",
            "OutOfMemory",
            "of 4 GiB",
            "`--mem 6G`",
        ),
        (
            terminated("Failed", exitCode=128, reason="StartError", message='exec: "python3": not found'),
            "image-without-python",
            "EnvironmentMismatch",
            r"it has no python3 \(not found\)",
            "--python",
        ),
        (
            terminated("Failed", exitCode=128, reason="ContainerCannotRun", message="no device"),
            "container-not-started",
            "EnvironmentMismatch",
            "no device",
            "kubectl get events",
        ),
        (
            waiting("ImagePullBackOff", "no such image x", LONG_AGO),
            "image-not-pulled",
            "EnvironmentMismatch",
            "can't be pulled: no such image x",
            "--image",
        ),
        (
            waiting("ErrImageNeverPull", "m"),
            "image-never-pulled",
            "EnvironmentMismatch",
            "says never to pull it: m",
            "image_pull_policy",
        ),
        (waiting("InvalidImageName", "m"), "image-name", "EnvironmentMismatch", "no image's name: m", "--image"),
        (
            waiting("CreateContainerConfigError", "m", LONG_AGO),
            "container-not-set-up",
            "EnvironmentMismatch",
            "set up: m",
            "Secret",
        ),
        (
            waiting("RunContainerError", "m", LONG_AGO),
            "container-not-started",
            "EnvironmentMismatch",
            "started: m",
            "--python",
        ),
    ],
    ids=lambda it: it if isinstance(it, str) and " " not in it else "",
)
def test_each_has_a_row_of_the_table(
    tmp_path: Path, seen: dict[str, Any], cause: str, error: str, words: str, hint: str
):
    found = verdict_on(tmp_path, said(seen), memory=4 << 30)
    assert (found.cause, found.error) == (cause, error)
    assert re.search(words, found.message), found.message
    assert hint in found.hint
    assert found.evidence


def test_every_cause_that_is_named_is_a_row():
    named = {cause for _, cause in [*DISRUPTIONS.values(), *POD_REASONS.values()]} | set(WAITS.values())
    assert named <= {cause.name for cause in CAUSES}


def test_the_cells_own_exception_comes_before_what_became_of_its_pod(tmp_path: Path):
    error = {"kind": "exception", "type": "ValueError", "message": "x", "bases": []}
    (tmp_path / "result").mkdir()
    write_json(tmp_path / "result" / "manifest.json", {"error": error})
    assert verdict_on(tmp_path, said(disrupted("EvictionByEvictionAPI"))).cause == "exception"


def test_a_pod_that_somebody_deleted_was_cancelled_by_nobody_knows_whom(tmp_path: Path):
    condition = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "m"}
    failed = {**JOB, "status": {"conditions": [condition]}}
    found = verdict_on(tmp_path, said(deleted("Running"), job=failed))
    assert (found.cause, found.error) == ("deleted", "JobCancelled")
    assert found.evidence == ("pod p was deleted; its Job: Failed, BackoffLimitExceeded: m",)


@pytest.mark.parametrize(("ended", "cause"), [("10", "deleted"), ("20", "deleted"), ("01", "")])
def test_a_pod_that_was_deleted_while_it_ran_is_told_from_one_that_was_swept_away(ended: str, cause: str):
    """The time stamp is the end of the grace period."""
    one = terminated("Failed", exitCode=1, reason="Error", finishedAt=f"2026-01-01T00:00:{ended}Z")
    one["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:40Z", "deletionGracePeriodSeconds": 30}
    assert said(one).cause == cause


def deleted(phase: str) -> dict[str, Any]:
    one = terminated(phase, exitCode=143)
    return {**one, "metadata": {**one["metadata"], "deletionTimestamp": LONG_AGO}}


def suspended(retries: int = 0) -> dict[str, Any]:
    return {**JOB, "spec": {"backoffLimit": retries, "suspend": True}}


def workload(reason: str, message: str) -> dict[str, Any]:
    condition = {"type": "Evicted", "status": "True", "reason": reason, "message": message}
    return {"spec": {"queueName": "team"}, "status": {"conditions": [condition]}}


OUTRANKED = "Preempted to accommodate a workload (UID: w) due to prioritization in the ClusterQueue"


def test_what_kueue_preempts_is_preempted(tmp_path: Path):
    """It suspends the Job, and the Job's controller deletes the pod."""
    outranked = workload("Preempted", OUTRANKED)
    found = verdict_on(tmp_path, said(deleted("Failed"), job=suspended(), workload=outranked))
    assert (found.cause, found.error) == ("preempted", "Preempted")
    assert found.evidence == (f"Kueue's Workload: Evicted, Preempted: {OUTRANKED}",)
    other = workload("ClusterQueueStopped", "The ClusterQueue is stopped")
    found = verdict_on(tmp_path, said(deleted("Failed"), job=suspended(), workload=other))
    assert (found.cause, found.error) == ("suspended", "JobCancelled")
    assert "The ClusterQueue is stopped" in found.message
    assert verdict_on(tmp_path, said(deleted("Succeeded"), job=suspended())).cause == "suspended"


def test_a_pod_that_lives_says_more_than_a_job_that_was_seen_suspended():
    """The Job is read seldom while its pod tells all: what is known of it may be old."""
    assert said(pod("Running", {"running": {}}), job=suspended()).state is JobState.RUNNING


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (disrupted("PreemptionByScheduler"), "a job with a higher priority took its place; it will start again"),
        (
            pod("Failed", reason="Evicted", message=f"{LOW}memory."),
            f"n1 could not keep it: {LOW}memory; Kubernetes runs it again",
        ),
        (terminated("Failed", exitCode=137, reason="OOMKilled"), "it failed; Kubernetes runs it again"),
    ],
)
def test_why_one_that_runs_again_waits(tmp_path: Path, seen: dict[str, Any], words: str):
    found = said(seen, job={**JOB, "spec": {"backoffLimit": 2}})
    assert found.state is JobState.PENDING
    told = why_it_waits(RunReader(Run(tmp_path)), replace(found, node="n1")) or found.reason
    assert told.startswith(words)


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


def test_a_pod_that_is_being_ended_will_say_why():
    """Its worker's files are here a second before its status is: nobody concludes from them alone."""
    running = pod("Running", {"running": {}})
    assert said(running).is_settled
    running["metadata"]["deletionTimestamp"] = LONG_AGO
    assert (said(running).reason, said(running).is_settled) == ("it is being ended", False)


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
    message = (
        'jobs.batch is forbidden: User "ada" cannot create resource "jobs" in API group "batch" in the namespace "lab"'
    )
    words, hint = refusal(ApiError(403, message, "Forbidden"))
    assert words == "ada may not create jobs.batch in namespace lab"
    assert "Role" in hint
    assert "token" in refusal(ApiError(401, "Unauthorized"))[0]


def test_quantities():
    assert [quantity(x) for x in ("500m", "4Gi", "2", "")] == [0.5, 4 * 2**30, 2, 0]
