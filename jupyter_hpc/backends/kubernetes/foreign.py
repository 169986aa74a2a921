"""Jobs of the namespace that we did not submit. Kubernetes has no owners: they may be a colleague's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...model.observation import ForeignJob, Observation
from ...model.states import JobState
from .objects import condition, time_stamp


def foreign_job(item: Mapping[str, Any]) -> ForeignJob:
    """Return a Job object as a row shows it."""
    metadata, spec = item["metadata"], item["spec"]
    name = f"{metadata['namespace']}/{metadata['name']}"
    gpus, kind = _gpus(spec)
    return ForeignJob(
        name,
        _observation(item),
        name=metadata["name"],
        submitted_at=time_stamp(metadata.get("creationTimestamp")),
        time_limit_s=spec.get("activeDeadlineSeconds"),
        gpus=gpus,
        gpu_type=kind,
        ends_with=f"kubectl delete job -n {metadata['namespace']} {metadata['name']}",
    )


def _observation(item: Mapping[str, Any]) -> Observation:
    spec, status = item["spec"], item.get("status") or {}
    times = {"started_at": time_stamp(status.get("startTime"))}
    if condition(item, "Complete"):
        times["ended_at"] = time_stamp(status.get("completionTime"))
        return Observation(JobState.COMPLETED, **times)  # type: ignore[arg-type]
    if failed := condition(item, "Failed"):
        times["ended_at"] = time_stamp(failed.get("lastTransitionTime"))
        words = str(failed.get("message") or failed.get("reason") or "")
        return Observation(JobState.FAILED, words, **times)  # type: ignore[arg-type]
    if status.get("ready"):
        return Observation(JobState.RUNNING, **times)  # type: ignore[arg-type]
    return Observation(JobState.PENDING, "it is suspended" if spec.get("suspend") else "its pods are not ready")


def _gpus(spec: Mapping[str, Any]) -> tuple[int, str]:
    found: dict[str, int] = {}
    for container in ((spec.get("template") or {}).get("spec") or {}).get("containers") or []:
        for key, count in ((container.get("resources") or {}).get("limits") or {}).items():
            if "gpu" in key.lower() and str(count).isdecimal():
                found[key] = found.get(key, 0) + int(count)
    total = sum(found.values()) * int(spec.get("parallelism") or 1)
    return total, next(iter(found)) if len(found) == 1 else ""
