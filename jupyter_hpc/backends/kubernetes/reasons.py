"""What the state of Job, pod and events means: a state, and the row of the table of causes that says why."""

from __future__ import annotations

import re
from dataclasses import replace

from ...model.observation import Observation
from ...model.states import JobState
from .objects import Object, Seen, condition, container_status, ended_at, is_over, node_of, time_stamp
from .waits import live_pod, no_pod, said

SUSPENDED = "Suspended"
SWEPT_S = 5.0  # a kubelet removes a pod that was deleted a moment after its container ended
# why a pod was ended by others: the DisruptionTarget condition's word → (state, cause)
DISRUPTIONS = {
    "PreemptionByScheduler": (JobState.PREEMPTED, "preempted"),
    "PreemptionByKubeScheduler": (JobState.PREEMPTED, "preempted"),  # as it was called before 1.26
    "DeletionByTaintManager": (JobState.NODE_FAIL, "node-tainted"),
    "EvictionByEvictionAPI": (JobState.NODE_FAIL, "node-drained"),
    "DeletionByPodGC": (JobState.NODE_FAIL, "node-failed"),
    "TerminationByKubelet": (JobState.NODE_FAIL, "evicted"),
}
# the pod's own reason, which its kubelet writes
POD_REASONS = {
    "DeadlineExceeded": (JobState.TIMEOUT, "active-deadline"),
    "Evicted": (JobState.NODE_FAIL, "evicted"),
    "NodeLost": (JobState.NODE_FAIL, "node-failed"),
    "NodeShutdown": (JobState.NODE_FAIL, "node-shutdown"),
    "Terminated": (JobState.NODE_FAIL, "node-shutdown"),
    "Preempting": (
        JobState.PREEMPTED,
        "preempted",
    ),  # by the kubelet, for a pod that the node can't do without
    "UnexpectedAdmissionError": (JobState.NODE_FAIL, "not-admitted"),
    "TopologyAffinityError": (JobState.NODE_FAIL, "not-admitted"),
    "NodeAffinity": (JobState.NODE_FAIL, "not-admitted"),
}
_SHORT_OF = (  # what an evicted pod's message names → cause
    (re.compile(r"resource: memory|MemoryPressure"), "evicted-for-memory"),
    (re.compile(r"storage|EmptyDir|DiskPressure|inodes", re.IGNORECASE), "evicted-for-storage"),
)
_NOT_EXECUTED = re.compile(r'exec: "([^"]+)"[^:]*: (.*?)(?:: unknown)?$')


def explain(seen: Seen) -> Observation:
    """Return what Kubernetes says of a job."""
    pod = seen.pods[-1] if seen.pods else None
    if seen.job is None:
        is_ended_with_it = pod is not None and bool(pod["metadata"].get("deletionTimestamp"))
        if not (seen.was_deleted or is_ended_with_it):  # a process that begins to look has not seen the Job go
            return Observation(None)
        return _disrupted(pod) or Observation(
            JobState.CANCELLED, "its Job was deleted", "Deleted", node=node_of(pod), cause="deleted"
        )
    failed = condition(seen.job, "Failed") or condition(seen.job, "FailureTarget")
    retries_left = int(seen.job["spec"].get("backoffLimit", 6)) > 0 and not failed
    if pod is not None:
        ended = _suspended(pod, seen) or _pod_end(pod)
        if ended is not None and not (retries_left and ended.state is not JobState.COMPLETED):
            return ended
        if ended is not None and ended.native_state == SUSPENDED:
            return replace(no_pod(seen), cause=ended.cause, evidence=ended.evidence)
        if ended is not None:
            reason = f"{ended.reason.rstrip('. ') or 'it failed'}; Kubernetes runs it again"
            return Observation(JobState.PENDING, reason, "Retrying", cause=ended.cause, evidence=ended.evidence)
    if failed:
        return _job_failed(failed, pod)
    if condition(seen.job, "Complete"):
        return Observation(JobState.COMPLETED, native_state="Complete")
    if pod is None:
        return no_pod(seen)
    return live_pod(pod, seen)


def is_held(seen: Seen) -> bool:
    """Whether a Job is suspended and no pod of it lives: it was not let go yet, or it was taken back."""
    pod = seen.pods[-1] if seen.pods else None
    is_deleted = pod is None or bool(pod["metadata"].get("deletionTimestamp"))
    return is_deleted and bool((seen.job or {}).get("spec", {}).get("suspend"))


def _suspended(pod: Object, seen: Seen) -> Observation | None:
    """Return how a job ended whose Job was suspended, which deletes its pod: Kueue preempts like that."""
    if not is_held(seen):
        return None
    evicted = condition(seen.workload or {}, "Evicted") or {}
    is_preempted = evicted.get("reason") == "Preempted"
    state, cause = (JobState.PREEMPTED, "preempted") if is_preempted else (JobState.CANCELLED, "suspended")
    words = said(evicted)
    line = f"Kueue's Workload: Evicted, {evicted.get('reason')}: {words}" if evicted else "the Job is suspended"
    return Observation(state, words, SUSPENDED, node_of(pod), ended_at=ended_at(pod), cause=cause, evidence=line)


def _disrupted(pod: Object | None) -> Observation | None:
    found = condition(pod, "DisruptionTarget") if pod is not None else None
    if pod is None or found is None:
        return None
    word = found.get("reason", "")
    state, cause = DISRUPTIONS.get(word, (JobState.NODE_FAIL, "evicted"))
    line = f"pod {pod['metadata']['name']}: DisruptionTarget, {_with(word, said(found))}"
    return Observation(state, said(found), word, node_of(pod), ended_at=ended_at(pod), cause=cause, evidence=line)


def _pod_end(pod: Object) -> Observation | None:
    """Return how a pod ended, or None while it has not."""
    status = pod.get("status") or {}
    if not is_over(pod):
        return None
    word, words = status.get("reason", ""), said(status)
    if word in POD_REASONS or word.startswith("OutOf"):
        state, cause = POD_REASONS.get(word, (JobState.NODE_FAIL, "not-admitted"))
        if cause == "evicted":
            cause = next((c for pattern, c in _SHORT_OF if pattern.search(words)), cause)
        line = f"pod {pod['metadata']['name']}: {_with(word, words)}"
        return Observation(state, words, word, node_of(pod), ended_at=ended_at(pod), cause=cause, evidence=line)
    disrupted = _disrupted(pod)
    if disrupted is not None:
        return disrupted
    ended = container_status(pod).get("state", {}).get("terminated") or {}
    if ended.get("reason", "Error") == "Error" and _died_of_deletion(pod):
        return _deleted(pod)
    return _container_end(pod, ended)


def _died_of_deletion(pod: Object) -> bool:
    """Whether a failed pod was deleted while its container ran, not swept away when it had ended."""
    asked, ended = time_stamp(pod["metadata"].get("deletionTimestamp")), ended_at(pod)
    if asked is None or ended is None or (pod.get("status") or {}).get("phase") != "Failed":
        return False
    return ended >= asked - float(pod["metadata"].get("deletionGracePeriodSeconds") or 0) - SWEPT_S


def _deleted(pod: Object, line: str = "") -> Observation:
    line = "; ".join(part for part in (f"pod {pod['metadata']['name']} was deleted", line) if part)
    return Observation(
        JobState.CANCELLED,
        "its pod was deleted",
        "Deleted",
        node_of(pod),
        ended_at=ended_at(pod),
        cause="deleted",
        evidence=line,
    )


def _container_end(pod: Object, ended: Object) -> Observation:
    word, code, words = ended.get("reason", ""), ended.get("exitCode"), said(ended, 2000)
    found = Observation(
        JobState.FAILED,
        "",
        word,
        node_of(pod),
        time_stamp(ended.get("startedAt")),
        time_stamp(ended.get("finishedAt")),
        code,
    )
    if word == "OOMKilled":
        line = f"its container: OOMKilled, exit code {code}"
        return replace(found, state=JobState.OUT_OF_MEMORY, evidence=line)
    if word in ("StartError", "ContainerCannotRun"):
        what = _NOT_EXECUTED.search(words)
        reason = f"it has no {what[1]} ({what[2]})" if what else words
        cause = "image-without-python" if what else "container-not-started"
        return replace(found, reason=reason, cause=cause, evidence=f"its container: {_with(word, words)}")
    number = code - 128 if isinstance(code, int) and 128 < code < 160 else None
    is_done = (pod.get("status") or {}).get("phase") == "Succeeded"
    return replace(found, state=JobState.COMPLETED if is_done else JobState.FAILED, signal=number)


def _job_failed(failed: Object, pod: Object | None) -> Observation:
    word = failed.get("reason", "")
    line = f"its Job: Failed, {_with(word, said(failed))}"
    if word == "DeadlineExceeded":
        return Observation(JobState.TIMEOUT, said(failed), word, cause="active-deadline", evidence=line)
    lost = _disrupted(pod)
    if lost is not None:
        return lost
    if pod is not None and pod["metadata"].get("deletionTimestamp"):
        return _deleted(pod, line)
    return Observation(JobState.FAILED, said(failed), word, evidence=line)


def _with(word: str, words: str) -> str:
    return f"{word}: {words}" if words and words != word else word
