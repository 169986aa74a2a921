"""Rows of the table of causes that only a scheduler of pods knows: it names them itself."""

from __future__ import annotations

from ..model.states import JobState
from .cause import AGAIN, MORE_MEMORY, Cause, Remedy
from .signs import holds, is_told

_AGAIN = "{remedy} {f.restarts}"
_BY_OTHERS = holds("you did not ask for it", lambda f: not f.reader.run.was_cancelled)


def _taken(name: str, known_by: str, sentence: str, hint: str = _AGAIN, remedy: Remedy | None = AGAIN) -> Cause:
    """A pod that its node could not keep."""
    return Cause(
        name,
        JobState.NODE_FAIL,
        "NodeFailed",
        is_told(known_by, name),
        sentence,
        hint,
        remedy,
        is_told=True,
        leaves_time=True,
    )


def _ended(name: str, known_by: str, sentence: str, hint: str) -> Cause:
    """A pod that somebody ended, and not by our means."""
    return Cause(
        name,
        JobState.CANCELLED,
        "JobCancelled",
        is_told(known_by, name) & _BY_OTHERS,
        sentence,
        hint,
        AGAIN,
        is_told=True,
        leaves_time=True,
    )


def _not_started(name: str, known_by: str, sentence: str, hint: str) -> Cause:
    """A container in which no worker could start."""
    sign = is_told(known_by, name)
    return Cause(name, JobState.FAILED, "EnvironmentMismatch", sign, sentence, hint, is_told=True)


POD_CAUSES: tuple[Cause, ...] = (
    _taken(
        "evicted-for-memory",
        "the pod ended as `Evicted`, for memory",
        "{f.node} ran short of memory and evicted the job{f.because}.",
        "What is asked for is kept free. {remedy}",
        MORE_MEMORY,
    ),
    _taken(
        "evicted-for-storage",
        "the pod ended as `Evicted`, for its disk or storage",
        "{f.node} evicted the job for the disk that it used{f.because}.",
        "Write to a volume of the target, or ask for `ephemeral-storage` with --patch.",
        None,
    ),
    _taken(
        "evicted",
        "the pod ended as `Evicted`, or has a `DisruptionTarget` that is in no other row",
        "{f.node} evicted the job{f.because}.",
    ),
    _taken(
        "node-drained",
        "the pod's `DisruptionTarget` is `EvictionByEvictionAPI`",
        "The job was evicted: {f.node} is being drained.",
    ),
    _taken(
        "node-tainted",
        "the pod's `DisruptionTarget` is `DeletionByTaintManager`",
        "{f.node} stopped answering, or was taken out of service, while the job ran there{f.because}.",
    ),
    _taken(
        "node-shutdown",
        "the pod ended as `NodeShutdown` or `Terminated`",
        "{f.node} was shut down.",
    ),
    _taken(
        "not-admitted",
        "the pod ended as `UnexpectedAdmissionError`, `OutOfcpu` and the like",
        "{f.node} could not give the job what was promised{f.because}.",
        "{remedy}",
    ),
    Cause(
        "active-deadline",
        JobState.TIMEOUT,
        "TimeLimitExceeded",
        is_told("pod or Job ended as `DeadlineExceeded`", "active-deadline"),
        "The job ran longer than its `activeDeadlineSeconds`{f.because}.",
        "--time raises it, unless a patch sets it: of the cell (--patch) or of the target.",
        is_told=True,
        leaves_time=True,
    ),
    _ended(
        "deleted",
        "the pod or its Job was deleted",
        "The job was deleted in Kubernetes; it is not known by whom.",
        "`kubectl get events` may say more. {remedy}",
    ),
    _ended(
        "suspended",
        "the Job was suspended while its pod ran",
        "The job was suspended, which ended its pod{f.because}.",
        _AGAIN,
    ),
    _not_started(
        "image-not-pulled",
        "the container waits as `ErrImagePull` or `ImagePullBackOff`, for a minute",
        "The image can't be pulled{f.because}.",
        "Check the name, or who may pull it: --image, `image_pull_secrets`.",
    ),
    _not_started(
        "image-never-pulled",
        "the container waits as `ErrImageNeverPull`",
        "The image is not on {f.node}, and the target's image_pull_policy says never to pull it{f.because}.",
        "Set `image_pull_policy` to IfNotPresent, or load the image on the nodes.",
    ),
    _not_started(
        "image-name",
        "the container waits as `InvalidImageName`",
        "The image's name is no image's name{f.because}.",
        "Write it as registry/name:tag, with --image.",
    ),
    _not_started(
        "image-without-python",
        "the container ended as `StartError`, for want of what it was to execute",
        "The image could not start the worker{f.because}.",
        "The image needs a Python of at least 3.9 on PATH; --python names another interpreter in it.",
    ),
    _not_started(
        "container-not-set-up",
        "the container waits as `CreateContainerConfigError`, for a minute",
        "The container could not be set up{f.because}.",
        "A Secret or ConfigMap that the target or --patch names is missing in this namespace.",
    ),
    _not_started(
        "container-not-started",
        "the container ended as `StartError` for another reason, or waits as `RunContainerError`, for a minute",
        "The container could not be started{f.because}.",
        "Does the image have what --python, --patch and the target name? `kubectl get events` may say more.",
    ),
)
TAKES_BACK = ("node-failed", *(cause.name for cause in POD_CAUSES if cause.state is JobState.NODE_FAIL))
