"""Why a job has not begun, in words, and whether it ever will."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...model.observation import Observation
from ...model.states import JobState
from .objects import Object, Seen, container_status, node_of, quantity, time_stamp
from .refusals import POLICY

_IMAGE = "Check the name, or who may pull it: --image, `image_pull_secrets`."
# a container that waits: Kubernetes' word → (words, hint)
WAITING = {
    "ContainerCreating": ("its container is being made", ""),
    "PodInitializing": ("its init containers run", ""),
    "ErrImagePull": ("its image can't be pulled", _IMAGE),
    "ImagePullBackOff": ("its image can't be pulled", _IMAGE),
    "ErrImageNeverPull": (
        "its image is not on the node, and the target's image_pull_policy says never to pull it",
        "Set `image_pull_policy` to IfNotPresent, or load the image on the nodes.",
    ),
    "InvalidImageName": ("the image's name is no image's name", "Write it as registry/name:tag, with --image."),
    "RegistryUnavailable": ("the image's registry doesn't answer", "Try again later."),
    "CreateContainerConfigError": (
        "its container can't be set up",
        "A Secret or ConfigMap that the target or --patch names is missing in this namespace.",
    ),
    "CreateContainerError": ("its container can't be made", ""),
    "RunContainerError": ("its container can't be started", "Does the image have python3? --python names another."),
    "CrashLoopBackOff": ("its container crashes at its start", ""),
}
HOPELESS = {"ErrImageNeverPull", "InvalidImageName"}  # waiting won't help
CAUSES = {  # rows of the table of causes: where waiting is over
    "ErrImagePull": "image-not-pulled",
    "ImagePullBackOff": "image-not-pulled",
    "ErrImageNeverPull": "image-never-pulled",
    "InvalidImageName": "image-name",
    "CreateContainerConfigError": "container-not-set-up",
    "CreateContainerError": "container-not-started",
    "RunContainerError": "container-not-started",
}
HOPELESS_IMAGE = re.compile(r"not found|unauthorized|denied|forbidden|does not exist|no such", re.IGNORECASE)
PATIENCE_S = 60.0  # how long what looks hopeless may take to be put right by somebody


def no_pod(seen: Seen) -> Observation:
    if (seen.job or {}).get("spec", {}).get("suspend"):
        return Observation(JobState.PENDING, _kueue(seen), "Suspended")
    for event in reversed(seen.events):
        if event.get("reason") == "FailedCreate":
            reason, hint = _failed_create(str(event.get("message") or ""))
            return Observation(JobState.PENDING, reason, "FailedCreate", hint=hint)
    return Observation(JobState.PENDING, "", "Pending")


def _kueue(seen: Seen) -> str:
    """Return the Workload's own reason, which names the quota that is missing."""
    if seen.workload is None:
        return "it is suspended; Kueue has not looked at it yet (is there a queue of that name?)"
    found = (seen.workload.get("status") or {}).get("conditions") or []
    waits = [c for c in found if c["type"] in ("QuotaReserved", "Admitted") and c["status"] == "False"]
    said = next((c.get("message") for c in waits if c.get("message")), "it waits for quota")
    queue = (seen.workload.get("spec") or {}).get("queueName", "")
    return f"Kueue's queue {queue} holds it: {said}"


def _failed_create(message: str) -> tuple[str, str]:
    quota = re.search(r"exceeded quota: ([^,]+), requested: (.*), used: (.*), limited: (.*)$", message)
    if quota:
        return (
            f"the namespace's quota {quota[1]} is used up: {quota[2]} asked, {quota[3]} used of {quota[4]}",
            "Ask for less, wait for other jobs to end, or ask for a larger quota.",
        )
    if POLICY.search(message):
        return f"the cluster's policy refuses the pod: {_tail(message)}", "--patch changes fields of the pod."
    if "must specify" in message or "failed quota" in message:
        return f"the namespace's quota wants a limit for each pod: {_tail(message)}", "Give --mem and --cpus."
    if "serviceaccount" in message or "service account" in message:
        return f"its service account is missing: {_tail(message)}", "Set `service_account` of the target."
    return f"Kubernetes can't make its pod: {_tail(message)}", "`kubectl describe job` has its events."


def _tail(message: str) -> str:
    return " ".join(re.sub(r"^Error creating: ", "", message).split())[:400]


def live_pod(pod: Object, seen: Seen) -> Observation:
    node = node_of(pod)
    state = container_status(pod).get("state") or {}
    if "running" in state or "terminated" in state:
        started = time_stamp((state.get("running") or {}).get("startedAt"))
        words = "it is being ended" if pod["metadata"].get("deletionTimestamp") else ""
        if not words and "running" in state and not _is_ready(pod):
            words = f"its node {node} has stopped answering"
        is_settled = not pod["metadata"].get("deletionTimestamp")  # else its end will say why
        return Observation(JobState.RUNNING, words, "Running", node, started, is_settled=is_settled)
    scheduled = _scheduled(pod)
    if scheduled.get("status") == "False":
        if scheduled.get("reason") == "SchedulingGated":
            return Observation(JobState.PENDING, "a scheduling gate holds it", "SchedulingGated")
        reason, hint = unschedulable(str(scheduled.get("message") or ""), pod, seen.nodes)
        return Observation(JobState.PENDING, reason, "Unschedulable", hint=hint)
    waiting = state.get("waiting") or {}
    word = waiting.get("reason", "")
    words, hint = WAITING.get(word, (word, ""))
    message = said(waiting)
    image = container_status(pod).get("image") or pod["spec"]["containers"][0]["image"]
    if "image" in words:
        words = f"{words} ({image})"
    if word in ("ContainerCreating", "") and seen.events:
        trouble = _mount_trouble(seen.events)
        words, hint = trouble or (words, hint)
    reason = f"{words}: {message}" if message and word not in ("ContainerCreating", "PodInitializing") else words
    if word in HOPELESS or (_waits_long(pod, seen) and _is_hopeless(word, message)):
        return Observation(
            JobState.FAILED,
            message or image,
            word,
            node,
            ended_at=seen.now,
            cause=CAUSES[word],
            evidence=f"its container waits: {word}: {message}",
        )
    return Observation(JobState.PENDING, reason, word or "Pending", node, hint=hint)


def said(item: Object, most: int = 300) -> str:
    """Return the message that Kubernetes gives with a status, a condition or a container's state, in a line."""
    return " ".join(str(item.get("message") or "").split())[:most]


def _is_hopeless(word: str, message: str) -> bool:
    if word in ("ErrImagePull", "ImagePullBackOff"):
        return bool(HOPELESS_IMAGE.search(message)) or word == "ImagePullBackOff"
    return word in ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")


def _waits_long(pod: Object, seen: Seen) -> bool:
    since = time_stamp(_scheduled(pod).get("lastTransitionTime"))
    return since is not None and seen.now - since > PATIENCE_S


def _scheduled(pod: Object) -> Object:
    found: Sequence[Object] = (pod.get("status") or {}).get("conditions") or []
    return next((c for c in found if c["type"] == "PodScheduled"), {})


def _mount_trouble(events: Sequence[Object]) -> tuple[str, str] | None:
    for event in reversed(events):
        if event.get("reason") in ("FailedMount", "FailedAttachVolume"):
            return (
                f"a volume can't be mounted: {_tail(str(event.get('message') or ''))}",
                "`kubectl get pvc,secrets`",
            )
        if event.get("reason") in ("FailedCreatePodSandBox", "FailedPodSandBoxStatus"):
            return f"its node can't set it up: {_tail(str(event.get('message') or ''))}", "It is tried again."
        if event.get("reason") == "Pulling":
            return "its image is being pulled", ""
    return None


def unschedulable(message: str, pod: Object, nodes: Sequence[Object]) -> tuple[str, str]:
    """Return why no node takes a pod, in words, and what to do.

    The message is ``0/3 nodes are available: 1 Insufficient nvidia.com/gpu, 2 …. preemption: …``; its end
    differs between versions.
    """
    match = re.search(r"(\d+)/(\d+) nodes are available: (.*?)(?:\.\s|\.$|$)", message)
    why = match[3] if match else message.partition(". ")[0]
    lacks = re.findall(r"Insufficient ([^\s,]+)", why)
    if not lacks:
        hint = "`node_selector` and `tolerations` of the target say where it may run."
        return f"no node takes it: {why}", hint
    parts = []
    for resource in dict.fromkeys(lacks):
        asked = _request(pod, resource)
        most = max((quantity(_allocatable(n, resource)) for n in nodes), default=None)
        have = f", and the largest node has {most:g}" if most is not None else ""
        parts.append(f"{resource} ({asked} asked{have})")
    never = any(nodes and quantity(_request(pod, r)) > max(quantity(_allocatable(n, r)) for n in nodes) for r in lacks)
    hint = "No node has that much: ask for less." if never else "It starts when others end, or when the cluster grows."
    return f"no node has enough {', '.join(parts)} free", hint


def _request(pod: Object, resource: str) -> str:
    return str(((pod["spec"]["containers"][0].get("resources") or {}).get("requests") or {}).get(resource, "0"))


def _allocatable(node: Object, resource: str) -> str:
    return str(((node.get("status") or {}).get("allocatable") or {}).get(resource, "0"))


def _is_ready(pod: Object) -> bool:
    """Whether a running pod's node answers: it alone makes a pod without probes unready."""
    found = (pod.get("status") or {}).get("conditions") or []
    return not any(c["type"] == "Ready" and c["status"] == "False" and c.get("reason") != "PodCompleted" for c in found)
