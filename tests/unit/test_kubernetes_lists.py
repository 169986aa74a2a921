"""Jobs of others in the namespace, and what is free on the nodes, from objects as the API server has them."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_hpc.backends.kubernetes.availability import available
from jupyter_hpc.backends.kubernetes.foreign import foreign_job
from jupyter_hpc.model.states import JobState

KINDS = ("nvidia.com/gpu", "nvidia.com/gpu.product", {"NVIDIA-A100-SXM4-80GB": "a100"})


def node(name: str, gpus: str | None, product: str | None = None, **spec: Any) -> dict[str, Any]:
    has = {"cpu": "8", "memory": "16Gi", **({"nvidia.com/gpu": gpus} if gpus else {})}
    labels = {KINDS[1]: product} if product else {}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"allocatable": has}}


def pod(where: str, gpus: str) -> dict[str, Any]:
    limits = {"nvidia.com/gpu": gpus}
    return {"spec": {"nodeName": where, "containers": [{"resources": {"limits": limits}}, {}]}}


def test_gpus_that_are_free_by_type() -> None:
    nodes = [
        node("a", "4", "NVIDIA-A100-SXM4-80GB"),
        node("b", "2", "NVIDIA-H100"),
        node("c", "8", "NVIDIA-H100", unschedulable=True),
        node("d", None),
    ]
    found = available("here", nodes, [pod("a", "3"), pod("", "9")], *KINDS)
    assert list(found.gpus) == [
        {"type": "NVIDIA-H100", "free": 2, "total": 10},
        {"type": "a100", "free": 1, "total": 4},
    ]
    assert [row["gpus"] for row in found.partitions] == ["4 a100", "2 NVIDIA-H100", "8 NVIDIA-H100", ""]


def test_what_may_not_be_seen_is_not_said_to_be_free() -> None:
    found = available("here", [node("a", "4")], None, *KINDS)
    assert list(found.gpus) == []
    assert [row["gpus"] for row in found.partitions] == ["4"]


def job(status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    limits = {"nvidia.com/gpu": "2"}
    template = {"spec": {"containers": [{"resources": {"limits": limits}}]}}
    metadata = {"name": "fit", "namespace": "lab", "creationTimestamp": "2026-11-24T06:26:40Z"}
    return {"metadata": metadata, "spec": {"template": template, **spec}, "status": status}


BEGUN = {"startTime": "2026-11-24T06:26:41Z"}
DONE = [{"type": "Complete", "status": "True"}]
FAILED = [{"type": "Failed", "status": "True", "message": "Back-off", "lastTransitionTime": "2026-11-24T06:26:50Z"}]


@pytest.mark.parametrize(
    ("item", "state", "reason"),
    [
        (job({**BEGUN, "ready": 1}), JobState.RUNNING, ""),
        (job({**BEGUN, "active": 1}), JobState.PENDING, "its pods are not ready"),
        (job({}, suspend=True), JobState.PENDING, "it is suspended"),
        (job({**BEGUN, "conditions": DONE}), JobState.COMPLETED, ""),
        (job({**BEGUN, "conditions": FAILED}), JobState.FAILED, "Back-off"),
    ],
)
def test_how_a_foreign_job_stands(item: dict[str, Any], state: JobState, reason: str) -> None:
    found = foreign_job(item)
    assert (found.seen.state, found.seen.reason) == (state, reason)
    assert (found.native_id, found.gpus, found.gpu_type) == ("lab/fit", 2, "nvidia.com/gpu")
    assert found.ends_with == "kubectl delete job -n lab fit"
