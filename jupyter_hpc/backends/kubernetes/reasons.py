"""What the state of Job, pod and events means: a state, a reason in words, what to do."""

from __future__ import annotations

import re

from ...model.observation import Observation
from ...model.states import JobState
from .objects import Object, Seen, condition, container_status, ended_at, is_over, node_of, time_stamp
from .waits import live_pod, no_pod

# why a pod was ended by others: the DisruptionTarget condition's word → (state, words)
DISRUPTIONS = {
    "PreemptionByScheduler": (JobState.PREEMPTED, "a pod with a higher priority took its place"),
    "PreemptionByKubeScheduler": (JobState.PREEMPTED, "a pod with a higher priority took its place"),
    "DeletionByTaintManager": (
        JobState.NODE_FAIL,
        "its node was tainted (not ready, or taken out of service)",
    ),
    "EvictionByEvictionAPI": (JobState.NODE_FAIL, "it was evicted: its node is being drained"),
    "DeletionByPodGC": (JobState.NODE_FAIL, "its node is gone"),
    "TerminationByKubelet": (JobState.NODE_FAIL, "its node ended it, for its own good"),
}
_AGAIN = "Run the cell again."
POD_REASONS = {
    "DeadlineExceeded": (JobState.TIMEOUT, "it ran longer than its activeDeadlineSeconds", "Ask for more with --time."),
    "Evicted": (JobState.NODE_FAIL, "its node ran short and evicted it", "Ask for what it needs, with --mem."),
    "NodeLost": (JobState.NODE_FAIL, "its node is lost", _AGAIN),
    "NodeShutdown": (JobState.NODE_FAIL, "its node was shut down", _AGAIN),
    "Terminated": (JobState.NODE_FAIL, "its node was shut down", _AGAIN),
    "Preempting": (JobState.PREEMPTED, "its place was given away", _AGAIN),
    "UnexpectedAdmissionError": (JobState.NODE_FAIL, "its node could not give it what was promised", _AGAIN),
}  # fmt: skip


def explain(seen: Seen) -> Observation:
    """Return what Kubernetes says of a job."""
    pod = seen.pods[-1] if seen.pods else None
    if seen.job is None:
        is_ended_with_it = pod is not None and bool(pod["metadata"].get("deletionTimestamp"))
        if not (
            seen.was_deleted or is_ended_with_it
        ):  # a process that begins to look has not seen the Job go
            return Observation(None)
        return _disrupted(pod) or Observation(
            JobState.CANCELLED, "its Job was deleted", "Deleted", node=node_of(pod), error="JobCancelled"
        )
    failed = condition(seen.job, "Failed") or condition(seen.job, "FailureTarget")
    if pod is not None:
        ended = _pod_end(pod)
        retries_left = int(seen.job["spec"].get("backoffLimit", 6)) > 0 and not failed
        if ended is not None and not (retries_left and ended.state is not JobState.COMPLETED):
            return ended
        if ended is not None:
            reason = f"{ended.reason or 'it failed'}; Kubernetes runs it again"
            return Observation(JobState.PENDING, reason, "Retrying", hint=ended.hint)
    if failed:
        return _job_failed(failed, seen)
    if condition(seen.job, "Complete"):
        return Observation(JobState.COMPLETED, native_state="Complete")
    if pod is None:
        return no_pod(seen)
    return live_pod(pod, seen)


def _disrupted(pod: Object | None) -> Observation | None:
    found = condition(pod, "DisruptionTarget") if pod is not None else None
    if pod is None or found is None:
        return None
    state, words = DISRUPTIONS.get(found.get("reason", ""), (JobState.NODE_FAIL, found.get("reason", "")))
    error = "JobCancelled" if state is JobState.PREEMPTED else "NodeFailed"
    node = node_of(pod)
    where = f" (node {node})" if node else ""
    return Observation(
        state, f"{words}{where}", found.get("reason", ""), node=node, ended_at=ended_at(pod), error=error,
        hint="Run the cell again; --retries lets Kubernetes do that.",
    )  # fmt: skip


def _pod_end(pod: Object) -> Observation | None:
    """Return how a pod ended, or None while it has not."""
    status = pod.get("status") or {}
    if not is_over(pod):
        return None
    word = status.get("reason", "")
    if word in POD_REASONS or word.startswith("OutOf"):
        known = (JobState.NODE_FAIL, f"its node had not enough {word[5:]} after all", "Run the cell again.")
        state, words, hint = POD_REASONS.get(word, known)
        said = " ".join(str(status.get("message") or "").split())
        error = {JobState.TIMEOUT: "TimeLimitExceeded", JobState.PREEMPTED: "JobCancelled"}.get(
            state, "NodeFailed"
        )
        reason = f"{words}: {said}" if said and state is not JobState.TIMEOUT else words
        return Observation(
            state, reason, word, node=node_of(pod), ended_at=ended_at(pod), hint=hint, error=error
        )
    disrupted = _disrupted(pod)
    if disrupted is not None:
        return disrupted
    return _container_end(pod, container_status(pod).get("state", {}).get("terminated") or {})


def _container_end(pod: Object, ended: Object) -> Observation:
    word, code = ended.get("reason", ""), ended.get("exitCode")
    started, node = time_stamp(ended.get("startedAt")), node_of(pod)
    at = time_stamp(ended.get("finishedAt"))
    if word == "OOMKilled":
        return Observation(JobState.OUT_OF_MEMORY, "", word, node, started, at, code)
    if word in ("StartError", "ContainerCannotRun"):
        said = " ".join(str(ended.get("message") or "").split())
        what = re.search(r'exec: "([^"]+)"[^:]*: (.*?)(?:: unknown)?$', said)
        reason = (
            f"the image has no {what[1]} ({what[2]})" if what else f"its container could not start: {said}"
        )
        return Observation(
            JobState.FAILED, reason, word, node, None, at, code, error="EnvironmentMismatch",
            hint="The image needs a Python of at least 3.9 on PATH; --python names another interpreter in it.",
        )  # fmt: skip
    number = code - 128 if isinstance(code, int) and 128 < code < 160 else None
    state = JobState.COMPLETED if (pod.get("status") or {}).get("phase") == "Succeeded" else JobState.FAILED
    return Observation(state, "", word, node, started, at, code, number)


def _job_failed(failed: Object, seen: Seen) -> Observation:
    word = failed.get("reason", "")
    if word == "DeadlineExceeded":
        return Observation(JobState.TIMEOUT, failed.get("message", ""), word, error="TimeLimitExceeded")
    lost = _disrupted(seen.pods[-1]) if seen.pods else None
    if lost is not None:
        return lost
    pod = seen.pods[-1] if seen.pods else None
    if pod is not None and pod["metadata"].get("deletionTimestamp"):
        return Observation(
            JobState.CANCELLED, "its pod was deleted", word, node=node_of(pod), error="JobCancelled",
            hint="Somebody or something deleted it: `kubectl get events`. Run the cell again.",
        )  # fmt: skip
    return Observation(JobState.FAILED, failed.get("message", ""), word)
