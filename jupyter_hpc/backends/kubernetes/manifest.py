"""From a spec and a target's settings to a ``batch/v1`` Job."""

from __future__ import annotations

import base64
import getpass
import hashlib
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...model.exceptions import OptionError, TargetError
from ...model.resources import format_time
from ...model.spec import JobSpec
from ...rundir.run import Run
from .merge import merged

MANAGER = "jupyter-hpc"
FILE = "manifest.yaml"  # in the run directory: the Job as submitted
MANAGED_BY = "app.kubernetes.io/managed-by"
RUN, USER, NAME = "jupyter-hpc/run", "jupyter-hpc/user", "jupyter-hpc/name"
ORIGIN = "jupyter-hpc/origin"
QUEUE = "kueue.x-k8s.io/queue-name"
CONTAINER = "cell"
REQUEST = "request.zip"
ROOT, REQUEST_FOLDER = "/jupyter-hpc", "/jupyter-hpc-request"
ENVIRONMENTS = "/jupyter-hpc-environments"
BOOT = (
    f"import sys; sys.path[:] = ['{REQUEST_FOLDER}/{REQUEST}', *filter(None, sys.path)]; "
    "from jupyter_hpc_worker.carrier import main; main()"
)
BOOT_SHARED = (
    "import sys; sys.path[:] = [sys.argv.pop(1), *filter(None, sys.path)]; "
    "from jupyter_hpc_worker.carrier import main; main()"
)
GRACE_S = 30  # for what the worker saves when it is told to end
START_S = 600  # beyond --time: for the image, and for a carrier that doesn't end its worker
DAY_S = 86_400

SETTINGS: dict[str, Any] = {  # what a target may say, and what it is where it says nothing
    "kubeconfig": None,
    "context": None,
    "namespace": None,
    "image": None,
    "image_pull_policy": "IfNotPresent",
    "image_pull_secrets": (),
    "service_account": None,
    "priority_class": None,
    "node_selector": {},
    "tolerations": (),
    "volumes": (),
    "env_from_secrets": (),
    "gpu_resource": "nvidia.com/gpu",
    "gpu_label": "nvidia.com/gpu.product",
    "gpu_types": {},
    "cpu_limit": False,
    "result_hold": 900,
    "keep": 7 * DAY_S,
    "node_loss_toleration": 120,
    "patch": None,
    "store": None,
    "store_options": {},
    "environments": None,
}


def value(settings: Mapping[str, Any], name: str) -> Any:
    """Return a setting of the target, or what holds where it says nothing."""
    found = settings.get(name)
    return SETTINGS[name] if found is None else found


def default_image() -> str:
    """Return the official Python image with the kernel's own minor version."""
    return f"docker.io/library/python:{sys.version_info[0]}.{sys.version_info[1]}-slim"


def job_name(run: Run) -> str:
    return f"jupyter-hpc-{run.id}"


def user_label() -> str:
    """Return the user's name as a label can have it."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", getpass.getuser())[:63].strip("-._") or "unknown"


def labels(run: Run) -> dict[str, str]:
    return {MANAGED_BY: MANAGER, RUN: run.id, USER: user_label()}


def origin(run: Run) -> str:
    """Return what tells this run directory from one of the same id elsewhere."""
    import socket

    return hashlib.sha256(f"{socket.gethostname()}:{run.path}".encode()).hexdigest()[:16]


def interpreter(spec: JobSpec) -> str:
    return spec.python or (f"{spec.venv}/bin/python" if spec.venv else "python3")


def check(spec: JobSpec) -> None:
    """Refuse what no pod can be; options that mean nothing here say so themselves.

    Raises
    ------
    OptionError
        Naming the option, and what there is instead.
    """
    if (spec.resources.nodes or 1) > 1:
        raise OptionError(
            f"--nodes {spec.resources.nodes}: a cell runs in one pod, which is on one node.",
            hint="Ask for one node; --cpus and --gpus are what the pod gets.",
        )


def is_shared(run: Run, settings: Mapping[str, Any]) -> bool:
    """Whether a volume of the pod has the run directory, so that nothing needs to be carried.

    Raises
    ------
    TargetError
        If the target has such a volume, and run directories are elsewhere.
    """
    places = [Path(v["mountPath"]) for v in value(settings, "volumes") if v.get("shared")]
    if places and not any(place in run.path.parents for place in places):
        raise TargetError(
            f"The target's shared volume is mounted at {places[0]}, but run directories are in {run.path.parents[1]}.",
            hint=f"Set JUPYTER_HPC_ROOT to a folder below {places[0]}.",
        )
    return bool(places)


def environments(run: Run, settings: Mapping[str, Any]) -> str:
    """Return the pod's folder for what ``--requirements`` asks for; it lasts if it is on a volume."""
    if is_shared(run, settings):
        return str(run.path.parents[1] / "environments")
    return ENVIRONMENTS if value(settings, "environments") else f"{ROOT}/environments"


def notes(run: Run, spec: JobSpec, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what to know before submission: how values travel, what is built, and what could be lost."""
    if not spec.requirements:
        return _roads(run, settings)
    if is_shared(run, settings):
        return (*_roads(run, settings), "The environment is built in the pod, and kept on the shared volume.")
    claim = value(settings, "environments")
    kept = f"kept on the claim {claim}" if claim else "for this job alone; `environments` names a claim to keep it on"
    uv = "Where the image has no uv, the kernel sends it."
    return (*_roads(run, settings), f"The environment is built in the pod, {kept}. {uv}")


def _roads(run: Run, settings: Mapping[str, Any]) -> tuple[str, ...]:
    if is_shared(run, settings):
        return ("The pod works in the run directory itself, on a shared volume.",)
    if value(settings, "store"):
        return (f"What is large travels through {value(settings, 'store')}.",)
    return (
        "Payload and result travel through the API server. A result of more than 256 KiB waits in the pod for a "
        f"kernel, {format_time(value(settings, 'result_hold'))} at most, and is lost then; `store` or a shared volume "
        "would keep it.",
    )


def job(run: Run, spec: JobSpec, settings: Mapping[str, Any], worker: Path) -> dict[str, Any]:
    """Return the Job.

    Raises
    ------
    OptionError
        If the spec asks for what Kubernetes hasn't, or the patch can't be read.
    """
    check(spec)
    template = {"metadata": {"labels": labels(run)}, "spec": _pod(run, spec, settings)}
    if is_shared(run, settings):
        _use_shared(template["spec"], run, spec, worker)
    for patch in (value(settings, "patch"), spec.patch):
        if patch:
            template = merged(template, read_patch(patch))
    queue = {QUEUE: spec.queue} if spec.queue else {}
    annotations = {ORIGIN: origin(run), **({NAME: spec.name} if spec.name else {})}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(run),
            "labels": {**labels(run), **queue},
            "annotations": annotations,
        },
        "spec": {
            "backoffLimit": int(spec.retries or 0),
            "ttlSecondsAfterFinished": int(value(settings, "keep")),
            **({"suspend": True} if queue else {}),
            "template": template,
        },
    }


def secret(run: Run, owner: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    """Return the Secret that brings ``data`` into the pod, and goes when its Job goes."""
    reference = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": job_name(run), "labels": labels(run), "ownerReferences": [reference]},
        "type": "Opaque",
        "immutable": True,
        "data": {REQUEST: base64.b64encode(data).decode()},
    }


def _pod(run: Run, spec: JobSpec, settings: Mapping[str, Any]) -> dict[str, Any]:
    volumes, mounts = _volumes(run, settings)
    claim = value(settings, "environments")
    if spec.requirements and claim:
        volumes.append({"name": "environments", "persistentVolumeClaim": {"claimName": str(claim)}})
        mounts.append({"name": "environments", "mountPath": ENVIRONMENTS})
    loss = int(value(settings, "node_loss_toleration"))
    lost = [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": loss}
        for key in ("not-ready", "unreachable")
    ]
    account = value(settings, "service_account")
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": GRACE_S,
        "enableServiceLinks": False,
        "automountServiceAccountToken": account is not None,
        "containers": [_container(spec, settings, mounts)],
        "volumes": volumes,
        "tolerations": [*lost, *value(settings, "tolerations")],
    }
    if account is not None:
        pod["serviceAccountName"] = str(account)
    if value(settings, "priority_class"):
        pod["priorityClassName"] = str(value(settings, "priority_class"))
    secrets = value(settings, "image_pull_secrets")
    if secrets:
        pod["imagePullSecrets"] = [{"name": str(name)} for name in secrets]
    selector = {**value(settings, "node_selector"), **_gpu(spec, settings)[1]}
    if selector:
        pod["nodeSelector"] = selector
    if spec.resources.time:
        # the carrier holds --time, so that names come back; this one is for what it can't see
        pod["activeDeadlineSeconds"] = int(spec.resources.time + START_S + value(settings, "result_hold"))
    return pod


def _use_shared(pod: dict[str, Any], run: Run, spec: JobSpec, worker: Path) -> None:
    """Let the pod work in the run directory itself, as the kernel's user."""
    cell = pod["containers"][0]
    cell["command"] = [interpreter(spec), "-c", BOOT_SHARED, str(worker), "shared", str(run.path)]
    for mount in ("run", "request"):
        pod["volumes"] = [v for v in pod["volumes"] if v["name"] != mount]
        cell["volumeMounts"] = [m for m in cell["volumeMounts"] if m["name"] != mount]
    if os.getuid() != 0:
        pod["securityContext"] = {"runAsUser": os.getuid(), "runAsGroup": os.getgid()}


def _container(spec: JobSpec, settings: Mapping[str, Any], mounts: list[dict[str, Any]]) -> dict[str, Any]:
    requests, limits = _resources(spec, settings)
    node = {"name": "JUPYTER_HPC_NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": spec.image or value(settings, "image") or default_image(),
        "imagePullPolicy": value(settings, "image_pull_policy"),
        "command": [interpreter(spec), "-c", BOOT],
        "env": [node],
        "resources": {"requests": requests, "limits": limits},
        "securityContext": {"allowPrivilegeEscalation": False},
        "volumeMounts": mounts,
    }
    secrets = value(settings, "env_from_secrets")
    if secrets:
        container["envFrom"] = [{"secretRef": {"name": str(name)}} for name in secrets]
    return container


def _volumes(run: Run, settings: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return volumes and mounts: ours, and the target's (a Kubernetes volume, and ``mountPath`` beside it)."""
    secret = {"secretName": job_name(run), "defaultMode": 0o444}
    volumes: list[dict[str, Any]] = [{"name": "run", "emptyDir": {}}, {"name": "request", "secret": secret}]
    mounts: list[dict[str, Any]] = [
        {"name": "run", "mountPath": ROOT},
        {"name": "request", "mountPath": REQUEST_FOLDER, "readOnly": True},
    ]
    for i, raw in enumerate(value(settings, "volumes")):
        volume = {"name": f"volume-{i}", **{k: v for k, v in raw.items() if k != "shared"}}
        mount = {k: volume.pop(k) for k in ("mountPath", "readOnly", "subPath") if k in volume}
        if "mountPath" not in mount:
            raise OptionError(
                f"Volume {volume['name']} of the target has no mountPath.",
                hint='As in {"persistentVolumeClaim": {"claimName": "data"}, "mountPath": "/data"}.',
            )
        volumes.append(volume)
        mounts.append({"name": volume["name"], **mount})
    return volumes, mounts


def _resources(spec: JobSpec, settings: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    asked = spec.resources
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    tasks = asked.tasks or asked.tasks_per_node or 1
    if asked.cpus or tasks > 1:
        requests["cpu"] = str((asked.cpus or 1) * tasks)
        if value(settings, "cpu_limit"):
            limits["cpu"] = requests["cpu"]
    if asked.memory:
        requests["memory"] = limits["memory"] = str(asked.memory)
    gpus = asked.gpus if asked.gpus is not None else (asked.gpus_per_task or 0) * tasks
    if gpus:
        resource = _gpu(spec, settings)[0]
        requests[resource] = limits[resource] = str(gpus)
    return requests, limits


def gpu_kinds(settings: Mapping[str, Any]) -> tuple[str, str, dict[str, str]]:
    """Return the resource to count gpus by, the label that tells a node's type, and its values' names here."""
    named = value(settings, "gpu_types").items()
    names = {written: kind for kind, written in named if isinstance(written, str)}
    return str(value(settings, "gpu_resource")), str(value(settings, "gpu_label")), names


def _gpu(spec: JobSpec, settings: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the resource to count gpus by, and the labels of nodes that have the type.

    ``gpu_types`` maps a type to a label's value, or to ``{resource, labels}``; other types are the value itself.
    """
    resource, kind = str(value(settings, "gpu_resource")), spec.resources.gpu_type
    if kind is None:
        return resource, {}
    known = value(settings, "gpu_types").get(kind, kind)
    if isinstance(known, str):
        return resource, {str(value(settings, "gpu_label")): known}
    return str(known.get("resource", resource)), dict(known.get("labels") or {})


def read_patch(text: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return a patch of the pod template from a file's path or from YAML itself.

    Raises
    ------
    OptionError
        If it is neither, or has other parts than ``metadata`` and ``spec``.
    """
    import yaml

    if isinstance(text, Mapping):
        found: Any = dict(text)
    else:
        source = text
        if ("\n" not in text and ":" not in text) or Path(text).suffix in (".yaml", ".yml", ".json"):
            try:
                source = Path(text).expanduser().read_text(encoding="utf-8")
            except OSError as error:
                raise OptionError(
                    f"--patch {text[:80]!r} can't be read: {error.strerror}.",
                    hint="It is a file of YAML, or YAML itself, as in --patch '{spec: {hostNetwork: true}}'.",
                ) from None
        try:
            found = yaml.safe_load(source)
        except yaml.YAMLError as error:
            raise OptionError(f"--patch is not YAML: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(found, dict) or not found or set(found) - {"metadata", "spec"}:
        raise OptionError(
            "--patch must be a mapping with `spec` or `metadata` of the pod, and nothing else.",
            hint="As in --patch '{spec: {hostNetwork: true}}'; our container is called `cell`.",
        )
    return found


def as_yaml(manifest: Mapping[str, Any]) -> str:
    import yaml

    text: str = yaml.safe_dump(manifest, sort_keys=False, default_flow_style=False)
    return text
